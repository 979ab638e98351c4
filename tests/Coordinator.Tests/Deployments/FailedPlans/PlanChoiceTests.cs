using ClusterLlm.Coordinator.Deployments.FailedPlans;
using ClusterLlm.Coordinator.Placement;
using static ClusterLlm.Coordinator.Tests.Placement.PlacementBuilders;

namespace ClusterLlm.Coordinator.Tests.Deployments.FailedPlans;

public sealed class PlanChoiceTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 30, 18, 20, 11, TimeSpan.Zero);

    private static readonly PlacementRequest Any = Request() with { Objective = PlacementObjective.Balanced };

    private static readonly ClusterSnapshot Two = Cluster(Node("node-1", 20 * Gigabyte), Node("node-2", 20 * Gigabyte));

    private static readonly ClusterSnapshot Three = Cluster(Node("node-1", 20 * Gigabyte), Node("node-2", 20 * Gigabyte), Node("node-3", 20 * Gigabyte));

    [Fact]
    public void Choose_NothingBad_IsThePlannersPlan() =>
        Assert.Equal(Nodes(PlacementPlanner.Plan(Two, Model(), Any)), Nodes(PlanChoice.Choose(Two, Model(), Any, _ => null)));

    [Fact]
    public void Choose_BestIsBad_TakesTheNextBestAndSaysWhy()
    {
        var plan = Planned(PlanChoice.Choose(Two, Model(), Any, Bad("node-1,node-2")));

        Assert.Equal("node-2", Assert.Single(plan.Stages).NodeId);
        var rejection = plan.Rejections[0];
        Assert.Equal(("node-1+node-2", PlanChoice.Constraint), (rejection.Subject, rejection.Constraint));
        Assert.Equal(
            "The plan node-1 layers 0-5, node-2 layers 6-11 with builtin has failed 3 launches in a row, last at 2026-11-30 18:20:11 UTC: Node node-2, rank 0: out of memory.",
            rejection.Message);
        Assert.Equal("Node node-1 is left out, because a plan with it has failed.", Assert.Single(plan.Rejections, each => each.Subject == "node-1").Message);
    }

    [Fact]
    public void Choose_TwoAreBad_TakesTheThird() =>
        Assert.Equal("node-1", Nodes(PlanChoice.Choose(Two, Model(), Any, Bad("node-1,node-2", "node-2"))));

    [Fact]
    public void Choose_EveryNodeMustTakePart_OtherEnginesAreTried()
    {
        var cluster = Cluster([.. new[] { "node-1", "node-2" }.Select(id => Node(id, 20 * Gigabyte, engines: ["mlx", "builtin"]))]);
        var request = Request(1024, 1, "node-1", "node-2") with { Objective = PlacementObjective.Balanced };

        var plan = Planned(PlanChoice.Choose(cluster, Model(), request, plan => plan.Engine == "mlx" ? Failure(plan) : null));

        Assert.Equal(("builtin", 2), (plan.Engine, plan.Stages.Length));
        Assert.Equal("builtin is the engine of the next best plan, after one that has failed.", plan.EngineReason);
    }

    [Fact]
    public void Choose_EngineWasAskedFor_NoOtherIsTaken()
    {
        var cluster = Cluster(Node("node-1", 20 * Gigabyte, engines: ["mlx", "builtin"]));

        var refused = Assert.IsType<PlacementResult.Refused>(PlanChoice.Choose(cluster, Model(), Any with { Engine = "mlx" }, Failure));

        Assert.Contains("There is no other plan for this request.", refused.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void Choose_ManualPlanIsBad_IsRefusedWithWhenWhereWhyAndWhatToDo()
    {
        var request = Request().WithLayers(("node-1", 0, 4), ("node-2", 4, 12));

        var refused = Assert.IsType<PlacementResult.Refused>(PlanChoice.Choose(Two, Model(), request, Failure));

        Assert.Equal(
            "The plan node-1 layers 0-3, node-2 layers 4-11 with builtin has failed 3 launches in a row, last at 2026-11-30 18:20:11 UTC: Node node-2, rank 0: out of memory. "
            + "Other layers are another plan. To try it again, restart the deployment that failed (POST /api/deployments/dep-1/restart) or send \"retryBadPlan\": true.",
            refused.Summary);
    }

    [Fact]
    public void Choose_EveryPlanIsBad_EndsAfterThree()
    {
        var asked = new HashSet<string>();
        var result = PlanChoice.Choose(Three, Model(), Any, plan =>
        {
            asked.Add(Names(plan));
            return Failure(plan);
        });

        var refused = Assert.IsType<PlacementResult.Refused>(result);
        Assert.Equal(4, asked.Count);
        Assert.Contains("4 plans for this request have failed", refused.Summary, StringComparison.Ordinal);
        Assert.All(refused.Rejections, each => Assert.Equal(PlanChoice.Constraint, each.Constraint));
    }

    [Fact]
    public void Choose_NoPlanAtAll_IsThePlannersRefusal()
    {
        var refused = Assert.IsType<PlacementResult.Refused>(PlanChoice.Choose(Two, Model(layers: 100), Any, Failure));

        Assert.DoesNotContain(refused.Rejections, each => each.Constraint == PlanChoice.Constraint);
    }

    private static Func<PlacementPlan, PlanFailure?> Bad(params string[] nodes) => plan => nodes.Contains(Names(plan)) ? Failure(plan) : null;

    private static PlanFailure Failure(PlacementPlan plan) => new(
        PlanFingerprint.Of("f1", plan, _ => "1"), PlanFingerprint.Describe(plan), 3, At, "Node node-2, rank 0: out of memory.", "dep-1");

    private static string Nodes(PlacementResult result) => Names(Planned(result));

    private static string Names(PlacementPlan plan) => string.Join(',', plan.Stages.Select(stage => stage.NodeId));
}
