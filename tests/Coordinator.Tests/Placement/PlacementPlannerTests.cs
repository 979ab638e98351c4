using ClusterLlm.Coordinator.Placement;
using static ClusterLlm.Coordinator.Tests.Placement.PlacementBuilders;

namespace ClusterLlm.Coordinator.Tests.Placement;

public sealed class PlacementPlannerTests
{
    [Fact]
    public void Plan_NamedNodes_EachGetsLayersInProportionToItsMemory()
    {
        var cluster = Cluster(Node("node-1", 20 * Gigabyte), Node("node-2", 10 * Gigabyte), Node("node-3", 10 * Gigabyte));

        var plan = Planned(PlacementPlanner.Plan(cluster, Model(12), Request(1024, 1, "node-1", "node-2", "node-3")));

        Assert.Equal([("node-1", 0, 6), ("node-2", 6, 3), ("node-3", 9, 3)], plan.Stages.Select(s => (s.NodeId, s.FirstLayer, s.LayerCount)));
        Assert.Equal([2, 1, 0], plan.Stages.Select(stage => stage.Rank));
    }

    [Theory]
    [InlineData(2, 9)]
    [InlineData(3, 6)]
    public void Plan_EqualNodesForOneRequest_CutsAreEvenSinceAnyTakesAsLong(int nodes, int gigabytes)
    {
        var cluster = Cluster([.. Enumerable.Range(1, nodes).Select(number => Node($"node-{number}", gigabytes * Gigabyte))]);

        var plan = Planned(PlacementPlanner.Plan(cluster, Model(12), Request()));

        Assert.All(plan.Stages, stage => Assert.Equal(12 / nodes, stage.LayerCount));
        Assert.Equal(nodes, plan.Stages.Length);
    }

    [Fact]
    public void Plan_TooBigForAll_RefusedWithNeededAndAvailable()
    {
        var cluster = Cluster(Node("node-1", 5 * Gigabyte), Node("node-2", 5 * Gigabyte));

        var rejections = Rejections(PlacementPlanner.Plan(cluster, Model(12), Request(1024, 1, "node-1", "node-2")));

        Assert.Equal(("memory", 10 * Gigabyte), (rejections[0].Constraint, rejections[0].Available));
        Assert.True(rejections[0].Needed > 12 * Gigabyte);
    }

    [Theory]
    [InlineData(0, 1, "contextTokens")]
    [InlineData(131073, 1, "contextTokens")]
    [InlineData(1024, 0, "concurrency")]
    public void Plan_AbsurdSizes_NamesTheField(int context, int concurrency, string field)
    {
        var result = PlacementPlanner.Plan(Cluster(Node("node-1", 50 * Gigabyte)), Model(), Request(context, concurrency));

        Assert.Equal(field, Rejections(result)[0].Subject);
    }

    [Fact]
    public void Plan_UnknownNode_ListsTheKnownOnes()
    {
        var result = PlacementPlanner.Plan(Cluster(Node("node-1", 50 * Gigabyte)), Model(), Request(1024, 1, "node-7"));

        Assert.Contains("known nodes: node-1", Rejections(result)[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_ExcludedNode_IsLeftOutWithItsReason()
    {
        var cluster = Cluster(Node("node-1", 50 * Gigabyte), Node("node-2", 50 * Gigabyte, excluded: "it is draining"));

        var plan = Planned(PlacementPlanner.Plan(cluster, Model(), Request()));

        Assert.Equal("node-2", Assert.Single(plan.Rejections).Subject);
        Assert.Equal("node-1", Assert.Single(plan.Stages).NodeId);
    }

    [Fact]
    public void Plan_ManualLayers_AreTakenAsTheyAre()
    {
        var cluster = Cluster(Node("a", 50 * Gigabyte), Node("b", 50 * Gigabyte));

        var plan = Planned(PlacementPlanner.Plan(cluster, Model(12), Request().WithLayers(("b", 0, 2), ("a", 2, 12))));

        Assert.Equal([("b", 0, 2), ("a", 2, 10)], plan.Stages.Select(s => (s.NodeId, s.FirstLayer, s.LayerCount)));
    }

    [Theory]
    [InlineData(0, 4, 5, 12, "gap")]
    [InlineData(0, 4, 3, 12, "overlaps")]
    [InlineData(0, 4, 4, 11, "must end at 12")]
    [InlineData(0, 4, 4, 13, "must end at 12")]
    [InlineData(0, 0, 0, 12, "empty")]
    public void Plan_ManualLayersWithAFault_SaysWhich(int firstA, int endA, int firstB, int endB, string word)
    {
        var cluster = Cluster(Node("a", 50 * Gigabyte), Node("b", 50 * Gigabyte));

        var result = PlacementPlanner.Plan(cluster, Model(12), Request().WithLayers(("a", firstA, endA), ("b", firstB, endB)));

        Assert.Contains(Rejections(result), rejection => rejection.Message.Contains(word, StringComparison.Ordinal));
    }

    [Fact]
    public void Plan_ManualStageTooBig_RefusedWithNumbers()
    {
        var cluster = Cluster(Node("a", 5 * Gigabyte), Node("b", 50 * Gigabyte));

        var refused = Assert.Single(Rejections(PlacementPlanner.Plan(cluster, Model(12), Request().WithLayers(("a", 0, 6), ("b", 6, 12)))));

        Assert.Equal(("a", "memory", 5 * Gigabyte), (refused.Subject, refused.Constraint, refused.Available));
        Assert.True(refused.Needed > 6 * Gigabyte);
    }

    [Fact]
    public void Plan_AutoEngine_TakesTheFastestThatAllNodesHave()
    {
        var cluster = Cluster(Node("a", 50 * Gigabyte, engines: ["builtin", "mlx"]), Node("b", 50 * Gigabyte, engines: ["builtin"]));

        Assert.Equal("builtin", Planned(PlacementPlanner.Plan(cluster, Model(), Request())).Engine);
    }

    [Fact]
    public void Plan_UnknownEngine_ListsWhatThereIs()
    {
        var result = PlacementPlanner.Plan(Cluster(Node("a", 50 * Gigabyte)), Model(), Request() with { Engine = "vllm" });

        Assert.Contains("available: builtin", ((PlacementResult.Refused)result).Summary, StringComparison.Ordinal);
    }
}
