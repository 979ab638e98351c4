using System.Collections.Immutable;
using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Coordinator.Placement.Prediction;
using static ClusterLlm.Coordinator.Tests.Placement.PlacementBuilders;

namespace ClusterLlm.Coordinator.Tests.Placement;

/// <summary>The worked examples of Placement/README.md: change both together.</summary>
public sealed class WorkedExampleTests
{
    [Fact]
    public void ThreeMacs_ProportionalToMemory_AsExoPlacesThem()
    {
        var plan = Planned(PlacementPlanner.Plan(ThreeMacs(), SeventyGigabytes(), Ask(PlacementObjective.Balanced)));

        Assert.Equal(3.56, plan.Predictions!.DecodeTokensPerSecond.Value, 0.03);
        Assert.Equal(9.4, plan.Predictions.AggregateTokensPerSecond.Value, 0.15);
    }

    [Fact]
    public void ThreeMacs_Latency_FillsTheFastestFirstAndLeavesOneOut()
    {
        var plan = Planned(PlacementPlanner.Plan(ThreeMacs(), SeventyGigabytes(), Ask(PlacementObjective.Latency)));

        Assert.Equal(["m1-ultra", "m4-max"], plan.Stages.Select(stage => stage.NodeId).Order());
        Assert.Equal(4.19, plan.Predictions!.DecodeTokensPerSecond.Value, 0.03);
        Assert.True(plan.Optimality!.IsExact);
    }

    [Fact]
    public void ThreeMacs_Throughput_BalancesStages()
    {
        var plan = Planned(PlacementPlanner.Plan(ThreeMacs(), SeventyGigabytes(), Ask(PlacementObjective.Throughput)));

        Assert.Equal(3, plan.Stages.Length);
        Assert.Equal(10.7, plan.Predictions!.AggregateTokensPerSecond.Value, 0.2);
    }

    [Fact]
    public void ThreeMacs_Capacity_UsesAllThreeForTheLongestContext()
    {
        var plan = Planned(PlacementPlanner.Plan(ThreeMacs(), SeventyGigabytes(), Ask(PlacementObjective.Capacity)));

        Assert.Equal(3, plan.Stages.Length);
        Assert.True(plan.ContextTokens > 4096);
    }

    [Fact]
    public void SmallModelOnTwoMacs_UseOneNode()
    {
        var cluster = Cluster(Node("m4-max", 48L << 30, "Apple M4 Max", engines: ["mlx"]), Node("m4-pro", 48L << 30, "Apple M4 Pro", engines: ["mlx"])) with
        {
            Knowledge = BuiltInKnowledge.Planning,
        };

        var plan = Planned(PlacementPlanner.Plan(cluster, ModelCatalog.BuiltIn.Find("qwen2.5-coder-14b-4bit")!.Spec, new(PlacementObjective.Latency, 4096, 1, "auto", [], [])));

        Assert.Equal("m4-max", Assert.Single(plan.Stages).NodeId);
        Assert.StartsWith("Use one node, m4-max", plan.Comparison!.Verdict, StringComparison.Ordinal);
        Assert.Contains(plan.Comparison.RunnersUp, other => other.Stages.Length == 2 && other.Predictions.DecodeTokensPerSecond.Value < plan.Predictions!.DecodeTokensPerSecond.Value);
    }

    [Fact]
    public void LongContextOnTwoMacs_OnlyTheClusterMakesItFit()
    {
        var cluster = Cluster(Node("mini-1", 48L << 30, engines: ["mlx"]), Node("mini-2", 48L << 30, engines: ["mlx"])) with { Knowledge = BuiltInKnowledge.Planning };

        var plan = Planned(PlacementPlanner.Plan(
            cluster, ModelCatalog.BuiltIn.Find("qwen2.5-72b-4bit")!.Spec, new(PlacementObjective.Latency, 32768, 1, "auto", [], []) { Link = "thunderbolt5" }));

        Assert.Equal(2, plan.Stages.Length);
        Assert.Null(plan.Comparison!.BestSingleNode);
        Assert.StartsWith("Only the cluster makes it fit", plan.Comparison.Verdict, StringComparison.Ordinal);
        Assert.InRange(plan.Predictions!.DecodeTokensPerSecond.Value, 4.0, 4.5);
    }

    private static PlacementRequest Ask(PlacementObjective objective) =>
        new(objective, 64, 3, "auto", [], []) { UseAllNodes = objective == PlacementObjective.Balanced, PromptTokens = 64 };

    /// <summary>70 GB of dense weights in thin layers, with next to no cache.</summary>
    private static ModelSpec SeventyGigabytes() => Model(700, 100_000_000) with
    {
        Layers = [.. Enumerable.Repeat(new LayerSpec(100_000_000, 100_000_000, 16, 0, 0), 700)],
        HiddenSize = 64,
        IntermediateSize = 64,
        AttentionHeads = 1,
        KvHeads = 1,
        HeadDim = 8,
        VocabularySize = 64,
        TotalParameters = 70e9,
        ActiveParameters = 70e9,
    };

    /// <summary>
    /// exo#957's measured STREAM figures and three quarters of the memory. A layer takes bytes / bandwidth for each sequence (two operations per
    /// byte at twice the bandwidth), so that batching gains nothing and the pipelined figure is that of the table.
    /// </summary>
    private static ClusterSnapshot ThreeMacs()
    {
        var bandwidth = new Dictionary<string, double> { ["m1-ultra"] = 308.7e9, ["m4-max"] = 264.4e9, ["m3-max"] = 177.6e9 };
        ImmutableArray<LinkMeasurement> links =
        [
            .. from left in bandwidth.Keys
               from right in bandwidth.Keys
               where string.CompareOrdinal(left, right) < 0
               select new LinkMeasurement(left, right, TimeSpan.FromMicroseconds(1), 1e10),
        ];
        var decode = ImmutableSortedDictionary<string, double>.Empty.Add("compute builtin", 1);
        var constants = new SpeedConstants("bytes over bandwidth", decode, decode, ImmutableSortedDictionary<string, double>.Empty, []);
        return new ClusterSnapshot(
            [
                Node("m1-ultra", 48_050_000_000, "m1-ultra"),
                Node("m4-max", 27_050_000_000, "m4-max"),
                Node("m3-max", 27_050_000_000, "m3-max"),
            ],
            links)
        {
            Knowledge = new PlanningKnowledge(
                constants, node => new ChipFacts(node.Chip, "", DieClass.Unknown, 0, bandwidth[node.Chip], 2 * bandwidth[node.Chip], 1e15, null, "exo#957"), []),
        };
    }
}
