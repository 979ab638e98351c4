using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Coordinator.Comparisons.Candidates;
using ClusterLlm.Coordinator.Comparisons.Workloads;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Coordinator.Placement.Prediction;
using ClusterLlm.Coordinator.Tests.Placement;

namespace ClusterLlm.Coordinator.Tests.Comparisons;

/// <summary>Which clusters are compared, by what was seen of the single nodes.</summary>
public sealed class SeenSpeedsTests
{
    private const int Context = 16;

    [Fact]
    public void Clusters_EqualNodesBoundByArithmetic_AreCutEvenly()
    {
        var cuts = Clusters(concurrency: 4, new SeenStep(8, 32, 4), new SeenStep(8, 32, 4));

        Assert.Equal([4, 4], Assert.Single(cuts).Select(Layers));
    }

    [Fact]
    public void Clusters_EqualNodesBoundByReading_AreCutEvenlyThoughOneBatchWouldDo()
    {
        // Batches are under way on all nodes at once, however a plan was found: an uneven cut would make the node with most layers read them once for each.
        var cuts = Clusters(concurrency: 4, new SeenStep(80, 80, 4), new SeenStep(80, 80, 4));

        Assert.Equal([4, 4], Assert.Single(cuts).Select(Layers));
    }

    [Fact]
    public void Clusters_OneRequest_AreCutEvenlyForThePromptsSake()
    {
        var cuts = Clusters(concurrency: 1, new SeenStep(8, 8, 1), new SeenStep(8, 8, 1));

        Assert.Equal([4, 4], Assert.Single(cuts).Select(Layers));
    }

    [Fact]
    public void Clusters_SlowerNode_GetsFewerLayers()
    {
        var cuts = Clusters(concurrency: 4, new SeenStep(8, 32, 4), new SeenStep(16, 64, 4));

        var cut = Assert.Single(cuts);
        Assert.True(Layers(cut.Single(stage => stage.NodeId == "node-1")) > Layers(cut.Single(stage => stage.NodeId == "node-2")), string.Join(", ", cut));
    }

    [Fact]
    public void Apply_BatchAsFastAsOne_CountsNoArithmetic()
    {
        var seen = Seen(Nodes(1), new SeenStep(80, 79, 4));

        Assert.Equal(double.PositiveInfinity, Assert.Single(seen.Nodes[0].Calibrations).BatchFlopsPerSecond);
        Assert.Equal(80, Step(seen, 4), 0.5);
    }

    [Fact]
    public void Apply_SlowerBatch_IsPredictedAsItWasSeen()
    {
        var seen = Seen(Nodes(1), new SeenStep(8, 32, 4));

        Assert.Equal(8, Step(seen, 1), 0.1);
        Assert.Equal(32, Step(seen, 4), 0.1);
        Assert.Equal(16, Step(seen, 2), 0.1);
    }

    private static ModelSpec Model => PlacementBuilders.Model(layers: 8, layerBytes: 1_000_000, maxContext: 1024);

    private static ClusterSnapshot Nodes(int count)
    {
        var nodes = Enumerable.Range(1, count).Select(index => PlacementBuilders.Node($"node-{index}", PlacementBuilders.Gigabyte));
        return PlacementBuilders.Cluster([.. nodes]) with { Knowledge = BuiltInKnowledge.Planning };
    }

    private static ClusterSnapshot Seen(ClusterSnapshot cluster, params SeenStep[] steps) => SeenSpeeds.Apply(
        cluster, Model, Context, steps.Index().ToDictionary(step => ($"node-{step.Index + 1}", "builtin"), step => step.Item), DateTimeOffset.UnixEpoch);

    private static double Step(ClusterSnapshot seen, int sequences) =>
        NodeSpeed.Decode(seen.Nodes[0], seen.Knowledge!, EngineFacts.Of("builtin"), Model, 0, 8, Context, sequences).Total;

    private static IEnumerable<IReadOnlyList<ManualStage>> Clusters(int concurrency, params SeenStep[] steps)
    {
        var seen = Seen(Nodes(steps.Length), steps);
        return CandidatePlanner.Clusters(new CandidateQuestion("model", seen, Model, [new CellShape(Context, concurrency, [])], ["builtin"])).Select(one => (IReadOnlyList<ManualStage>)one.Candidate.Stages);
    }

    private static int Layers(ManualStage stage) => stage.EndLayer - stage.FirstLayer;
}
