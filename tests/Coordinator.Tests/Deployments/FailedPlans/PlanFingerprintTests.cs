using ClusterLlm.Coordinator.Deployments.FailedPlans;
using ClusterLlm.Coordinator.Placement;
using static ClusterLlm.Coordinator.Tests.Deployments.DeploymentBuilders;

namespace ClusterLlm.Coordinator.Tests.Deployments.FailedPlans;

public sealed class PlanFingerprintTests
{
    private static readonly PlacementPlan Base = Plan("a", "b").Placement;

    [Fact]
    public void Of_SamePlan_IsTheSameWhateverElseIsKnownOfIt()
    {
        var again = Base with
        {
            EngineReason = "said otherwise",
            Rejections = [new Rejection("c", "memory", "too small")],
            Stages = [.. Base.Stages.Select(stage => stage with { WeightBytes = stage.WeightBytes + 1 })],
        };

        Assert.Equal(Of(Base), Of(again));
        Assert.Matches("^[0-9a-f]{16}$", Of(Base));
    }

    [Fact]
    public void Of_AnotherModelEngineVersionNodeCutOrderOrSize_IsAnotherPlan()
    {
        var first = Base.Stages[0];
        string[] others =
        [
            Of(Base, model: "f2"),
            Of(Base, version: "0.32.5"),
            Of(Base with { Engine = "mlx" }),
            Of(Plan("a", "c").Placement),
            Of(Plan("b", "a").Placement),
            Of(Plan("a").Placement),
            Of(Base with { Stages = [first with { LayerCount = 2 }, Base.Stages[1] with { FirstLayer = 2, LayerCount = 4 }] }),
            Of(Base with { ContextTokens = 64 }),
            Of(Base with { MaxConcurrency = 2 }),
        ];

        Assert.Equal(others.Length + 1, others.Append(Of(Base)).Distinct().Count());
    }

    [Fact]
    public void Describe_NamesNodesLayersAndEngine() => Assert.Equal("a layers 0-2, b layers 3-5 with builtin", PlanFingerprint.Describe(Base));

    private static string Of(PlacementPlan plan, string model = "f1", string version = "0.32.4") => PlanFingerprint.Of(model, plan, _ => version);
}
