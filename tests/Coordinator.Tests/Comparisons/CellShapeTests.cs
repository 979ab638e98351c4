using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Coordinator.Comparisons;
using ClusterLlm.Coordinator.Comparisons.Candidates;
using ClusterLlm.Coordinator.Comparisons.Workloads;
using ClusterLlm.Coordinator.Tests.Placement;

namespace ClusterLlm.Coordinator.Tests.Comparisons;

public sealed class CellShapeTests
{
    [Fact]
    public void Of_DefaultCells_ReserveNoMoreThanTheLongestPromptNeeds()
    {
        var cells = CellChoice.Default(contextTokens: 32768);

        var shapes = CellShapes.Of(cells);

        Assert.Equal([(8256, 1), (192, 8)], shapes.Select(shape => (shape.ContextTokens, shape.Concurrency)));
        Assert.Equal(cells.Select(cell => cell.Workload).Distinct().Order(ByPrompt), shapes.SelectMany(shape => shape.Workloads).Order(ByPrompt));
    }

    [Fact]
    public void Of_EveryWorkloadForAsMany_IsOneShape()
    {
        Cell[] cells = [new(new(8, 4), 1), new(new(8, 4), 4), new(new(64, 8), 1), new(new(64, 8), 4)];

        var shape = Assert.Single(CellShapes.Of([.. cells]));

        Assert.Equal((72, 4), (shape.ContextTokens, shape.Concurrency));
    }

    /// <summary>The question that the project began with: one M4 Pro with 64 GB holds a model of 72B and each of the default cells, but not eight times 8k tokens beside it.</summary>
    [Fact]
    public void Singles_DefaultCellsOf72BOnAMacThatHoldsIt_AreCandidates()
    {
        var model = ModelCatalog.BuiltIn.Find("qwen2.5-72b-4bit")!.Spec;
        var cluster = PlacementBuilders.Cluster(PlacementBuilders.Node("mac-1", 51_540_000_000, engines: "mlx")) with { Knowledge = BuiltInKnowledge.Planning };
        var cells = CellChoice.Default(model.MaxContextTokens);
        CandidateQuestion Question(params CellShape[] shapes) => new("qwen2.5-72b-4bit", cluster, model, [.. shapes], ["mlx"]);

        var alone = Assert.Single(CandidatePlanner.Singles(Question([.. CellShapes.Of(cells)]), CandidateKind.Single));
        var together = Assert.Single(CandidatePlanner.Singles(Question(new CellShape(8256, 8, [])), CandidateKind.Single));

        Assert.Equal((null, 2), (alone.Refusal, alone.Plans.Length));
        Assert.Equal(cells, CellPredictions.Of(Question([.. CellShapes.Of(cells)]), alone.Plans, cells).Select(predicted => predicted.Cell));
        Assert.NotNull(together.Refusal);
    }

    private static readonly Comparer<Workload> ByPrompt = Comparer<Workload>.Create((one, other) => one.PromptTokens.CompareTo(other.PromptTokens));
}
