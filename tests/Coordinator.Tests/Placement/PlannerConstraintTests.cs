using System.Collections.Immutable;
using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Coordinator.Placement.Prediction;
using static ClusterLlm.Coordinator.Tests.Placement.PlacementBuilders;

namespace ClusterLlm.Coordinator.Tests.Placement;

public sealed class PlannerConstraintTests
{
    [Fact]
    public void Plan_ReserveAndCap_StayFree()
    {
        var plan = Planned(Plan(Request(PlacementObjective.Capacity) with
        {
            ReserveBytes = 2 * Gigabyte,
            MemoryCapBytes = ImmutableDictionary<string, long>.Empty.Add("b", 9 * Gigabyte),
        }));

        Assert.All(plan.Stages, stage => Assert.True(stage.TotalBytes <= (stage.NodeId == "b" ? 7 : 18) * Gigabyte));
    }

    [Fact]
    public void Plan_ExcludedNode_IsNotUsedAndSaid()
    {
        var plan = Planned(Plan(Request(PlacementObjective.Latency) with { ExcludedNodes = ["a"] }));

        Assert.DoesNotContain(plan.Stages, stage => stage.NodeId == "a");
        Assert.Contains(plan.Rejections, rejection => rejection is { Subject: "a", Constraint: "request" });
    }

    [Fact]
    public void Plan_PinnedLayers_LieOnTheirNode()
    {
        var plan = Planned(Plan(Request(PlacementObjective.Latency) with { PinnedLayers = [new ManualStage("c", 4, 6)] }));

        var stage = plan.Stages.Single(each => each.NodeId == "c");
        Assert.True(stage.FirstLayer <= 4 && stage.FirstLayer + stage.LayerCount >= 6);
    }

    [Fact]
    public void Plan_UseAllNodes_EachGetsALayer()
    {
        var plan = Planned(Plan(Request(PlacementObjective.Latency) with { UseAllNodes = true }));

        Assert.Equal(["a", "b", "c"], plan.Stages.Select(stage => stage.NodeId).Order());
    }

    [Fact]
    public void Plan_Manual_IsRatedLikeAnyOther()
    {
        var plan = Planned(Plan(Request(PlacementObjective.Latency) with { Layers = [new("a", 0, 6), new("b", 6, 12)] }));

        Assert.True(plan.Predictions!.DecodeTokensPerSecond.Value > 0);
        Assert.True(plan.Predictions.DecodeTokensPerSecond.Low < plan.Predictions.DecodeTokensPerSecond.High);
        Assert.Equal(["weights", "cache", "layers", "compute", "hops"], plan.Predictions.DecodeTokensPerSecond.Parts.Select(part => part.Name));
    }

    [Theory]
    [InlineData("reserveBytes")]
    [InlineData("promptTokens")]
    [InlineData("link")]
    [InlineData("ghost")]
    public void Plan_AbsurdConstraint_NamesIt(string subject)
    {
        var request = subject switch
        {
            "reserveBytes" => Request(PlacementObjective.Latency) with { ReserveBytes = -1 },
            "promptTokens" => Request(PlacementObjective.Latency) with { PromptTokens = 0 },
            "link" => Request(PlacementObjective.Latency) with { Link = "carrier pigeon" },
            _ => Request(PlacementObjective.Latency) with { PinnedLayers = [new ManualStage("ghost", 0, 2)] },
        };

        Assert.Contains(Rejections(Plan(request)), rejection => rejection.Subject == subject);
    }

    [Fact]
    public void Plan_SixtyFourDifferentNodes_IsWithinFivePercentOfTheBound()
    {
        string[] chips = ["Apple M4 Pro", "Apple M4 Max", "Apple M3 Ultra", "Apple M2 Max", "Apple M1 Max"];
        var nodes = Enumerable.Range(0, 64).Select(index => Node($"n{index:00}", (20 + index) * Gigabyte, chips[index % chips.Length], engines: ["mlx"]));
        var cluster = Cluster([.. nodes]) with { Knowledge = BuiltInKnowledge.Planning };
        var model = ModelCatalog.BuiltIn.Find("llama-3.1-405b-4bit")!.Spec;

        foreach (var objective in new[] { PlacementObjective.Latency, PlacementObjective.Throughput })
        {
            var plan = Planned(PlacementPlanner.Plan(cluster, model, new PlacementRequest(objective, 8192, 4, "auto", [], [])));

            Assert.False(plan.Optimality!.IsExact);
            Assert.InRange(plan.Optimality.GapShare, 0, 0.05);
        }
    }

    [Fact]
    public void Plan_EightEqualNodes_CollapseAndStayExact()
    {
        var nodes = Enumerable.Range(0, 40).Select(index => Node($"n{index:00}", 20 * Gigabyte, engines: ["mlx"]));
        var cluster = Cluster([.. nodes]) with { Knowledge = BuiltInKnowledge.Planning };

        var plan = Planned(PlacementPlanner.Plan(cluster, Model(60), new PlacementRequest(PlacementObjective.Latency, 1024, 1, "auto", [], [])));

        Assert.True(plan.Optimality!.IsExact);
        Assert.Equal(4, plan.Stages.Length);
    }

    [Fact]
    public void Tensor_FromOneAndTwoNodes_PredictsFour()
    {
        // performance.md section 4, Qwen3-235B 8-bit: 19.5 and 26.2 tok/s on 1 and 2 nodes, 31.9 on 4.
        var four = TensorPredictor.FromMeasured(SpeedConstantsFile.BuiltIn, 1e3 / 19.5, 1e3 / 26.2, 4);

        Assert.Equal(31.9, 1e3 / four, 31.9 * 0.03);
    }

    private static PlacementResult Plan(PlacementRequest request) => PlacementPlanner.Plan(
        Cluster(
            Node("a", 20 * Gigabyte, engines: ["mlx"]), Node("b", 20 * Gigabyte, "Apple M4 Max", engines: ["mlx"]), Node("c", 20 * Gigabyte, "Apple M1 Max", engines: ["mlx"])) with
        {
            Knowledge = BuiltInKnowledge.Planning,
        },
        Model(12),
        request);

    private static PlacementRequest Request(PlacementObjective objective) => new(objective, 1024, 1, "auto", [], []);
}
