using System.Collections.Immutable;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Nodes;
using static ClusterLlm.Coordinator.Tests.Deployments.DeploymentBuilders;

namespace ClusterLlm.Coordinator.Tests.Deployments;

public sealed class ReconcilerTests
{
    private static readonly DeploymentsOptions Options = new();

    [Fact]
    public void Decide_Preparing_Prepares() => Assert.Equal(
        [new DeploymentAction.Prepare()],
        Decide(Deployment(DeploymentState.Preparing, "a", "b"), Node("a"), Node("b")));

    [Fact]
    public void Decide_PreparingWithOlderShards_StopsThemFirst() => Assert.Equal(
        [new DeploymentAction.Stop("a", 1)],
        Decide(Deployment(DeploymentState.Preparing, "a", "b") with { Generation = 2 }, Node("a", Shard(1, ShardStage.Ready)), Node("b")));

    [Fact]
    public void Decide_LoadingWithNothingStarted_StartsAllRanks()
    {
        var start = Assert.IsType<DeploymentAction.Start>(Assert.Single(Decide(Deployment(DeploymentState.Loading, "a", "b"), Node("a"), Node("b"))));
        Assert.Equal([1, 0], start.Ranks);
    }

    [Fact]
    public void Decide_LoadingWithOneStarted_StartsOnlyTheOther()
    {
        var start = Assert.IsType<DeploymentAction.Start>(Assert.Single(
            Decide(Deployment(DeploymentState.Loading, "a", "b"), Node("a", Shard(1, ShardStage.Loading)), Node("b"))));
        Assert.Equal([0], start.Ranks);
    }

    [Fact]
    public void Decide_LoadingWithShardsNotToldYet_Waits() => Assert.Empty(
        Decide(Deployment(DeploymentState.Loading, "a"), new ActualNode("a", NodeState.Ready, ShardsKnown: false, [])));

    [Fact]
    public void Decide_AllShardsReady_BecomesReady() => Assert.Equal(
        [new DeploymentAction.Become(DeploymentState.Ready, null)],
        Decide(Deployment(DeploymentState.Loading, "a", "b"), Node("a", Shard(1, ShardStage.Ready)), Node("b", Shard(0, ShardStage.Ready))));

    [Fact]
    public void Decide_ReadyAndAllIsWell_DoesNothing() => Assert.Empty(
        Decide(Deployment(DeploymentState.Ready, "a"), Node("a", Shard(0, ShardStage.Ready))));

    [Fact]
    public void Decide_ShardFailedWhileLoading_RelaunchesAndSaysWhere()
    {
        var again = Assert.IsType<DeploymentAction.Relaunch>(Assert.Single(Decide(
            Deployment(DeploymentState.Loading, "a", "b"), Node("a", Shard(1, ShardStage.Failed, reason: "no space")), Node("b", Shard(0, ShardStage.Loading)))));
        Assert.True(again.Counts);
        Assert.Equal("Node a, rank 1: no space", again.Reason);
    }

    [Fact]
    public void Decide_NodeLost_BecomesDegradedThenPlansOnce()
    {
        var nodes = new[] { Node("a", Shard(1, ShardStage.Ready)), Node("b", NodeState.Lost) };
        var become = Assert.IsType<DeploymentAction.Become>(Assert.Single(Decide(Deployment(DeploymentState.Ready, "a", "b"), nodes)));
        Assert.Equal((DeploymentState.Degraded, "Node b is lost."), (become.State, become.Reason));

        var degraded = Deployment(DeploymentState.Degraded, "a", "b");
        Assert.Equal([new DeploymentAction.Plan()], Decide(degraded, nodes));
        Assert.Empty(Decide(degraded.Refused("too little memory", Actual(nodes).Signature, Later), nodes));
    }

    [Fact]
    public void Decide_LostNodeBackWithItsShard_BecomesReadyAgain() => Assert.Equal(
        [new DeploymentAction.Become(DeploymentState.Ready, null)],
        Decide(Deployment(DeploymentState.Degraded, "a", "b"), Node("a", Shard(1, ShardStage.Ready)), Node("b", Shard(0, ShardStage.Ready))));

    [Fact]
    public void Decide_LostNodeBackWithoutItsShard_RelaunchesWithoutCounting()
    {
        var again = Assert.IsType<DeploymentAction.Relaunch>(Assert.Single(
            Decide(Deployment(DeploymentState.Degraded, "a", "b"), Node("a", Shard(1, ShardStage.Ready)), Node("b"))));
        Assert.False(again.Counts);
    }

    [Fact]
    public void Decide_AfterCoordinatorStart_GivesNodesTimeToComeBack()
    {
        var wait = Assert.IsType<DeploymentAction.Wait>(Assert.Single(
            Reconciler.Decide(Deployment(DeploymentState.Ready, "a"), Actual(), Options, Start.AddSeconds(1))));
        Assert.Equal(Start + Options.StartupGrace, wait.Until);
        Assert.Equal(
            [new DeploymentAction.Become(DeploymentState.Degraded, "Node a has left.")],
            Reconciler.Decide(Deployment(DeploymentState.Ready, "a"), Actual(), Options, wait.Until));
    }

    [Fact]
    public void Decide_ModelNotReportedYet_TriesAgainThoughNoNodeChanges()
    {
        var waiting = Deployment(DeploymentState.Planning, "a").WithoutModel("No node has reported its models yet.", Options, Later);
        var again = waiting.WithoutModel("No node has reported its models yet.", Options, Later + Options.RetryFirst);

        Assert.Equal(new DeploymentAction.Wait(Later + Options.RetryFirst), Assert.Single(Reconciler.Decide(waiting, Actual(Node("a")), Options, Later)));
        Assert.NotEmpty(Reconciler.Decide(waiting, Actual(Node("a")), Options, Later + Options.RetryFirst));
        Assert.Equal("Waits for other nodes: No node has reported its models yet.", again.Reason);
    }

    [Fact]
    public void Decide_NodeDraining_PlansElsewhereUnlessThatWasRefused()
    {
        var nodes = new[] { Node("a", NodeState.Draining, Shard(0, ShardStage.Ready)), Node("b") };
        var ready = Deployment(DeploymentState.Ready, "a");
        Assert.Equal([new DeploymentAction.Plan()], Decide(ready, nodes));
        var refused = ready.Refused("b is too small", Actual(nodes).Signature, Later);
        Assert.Equal(DeploymentState.Ready, refused.State);
        Assert.Empty(Decide(refused, nodes));
    }

    [Fact]
    public void Decide_Unwanted_StopsEverywhereThenIsStopped()
    {
        var unwanted = Deployment(DeploymentState.Ready, "a", "b").Unwanted(Later);
        Assert.Equal(
            [new DeploymentAction.Stop("a", 0), new DeploymentAction.Stop("b", 0)],
            Decide(unwanted, Node("a", Shard(1, ShardStage.Ready)), Node("b", Shard(0, ShardStage.Loading))));
        Assert.Equal([new DeploymentAction.Become(DeploymentState.Stopped, null)], Decide(unwanted, Node("a"), Node("b")));
    }

    [Fact]
    public void Decide_WaitsForRetry_ButStopsWhatIsLeft()
    {
        var failed = Deployment(DeploymentState.Loading, "a", "b").Relaunched("broke", counts: true, planIsBad: false, Options, Later);
        Assert.Equal([new DeploymentAction.Stop("a", 1)], Decide(failed, Node("a", Shard(1, ShardStage.Loading)), Node("b")));
        Assert.Equal([new DeploymentAction.Wait(failed.RetryAt!.Value)], Decide(failed, Node("a"), Node("b")));
        Assert.Equal([new DeploymentAction.Plan()], Reconciler.Decide(failed, Actual(Node("a"), Node("b")), Options, failed.RetryAt.Value));
    }

    [Fact]
    public void Decide_LoadsTooLong_Relaunches()
    {
        var actions = Reconciler.Decide(
            Deployment(DeploymentState.Loading, "a"), Actual(Node("a", Shard(0, ShardStage.Loading))), Options, Later + Options.LoadTimeout + TimeSpan.FromSeconds(1));
        Assert.Contains("50 of 100 bytes", Assert.IsType<DeploymentAction.Relaunch>(Assert.Single(actions)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Relaunched_AgainAndAgain_WaitsLongerEachTimeAndLooksForAnotherPlanAtOnceWhenItsPlanIsBad()
    {
        var once = Deployment(DeploymentState.Loading, "a").Relaunched("broke.", counts: true, planIsBad: false, Options, Later);
        var twice = once.Relaunched("broke.", counts: true, planIsBad: false, Options, Later);
        var thrice = twice.Relaunched("broke.", counts: true, planIsBad: true, Options, Later);

        Assert.Equal((DeploymentState.Planning, Later + Options.RetryFirst), (once.State, once.RetryAt));
        Assert.Equal((DeploymentState.Planning, Later + (2 * Options.RetryFirst)), (twice.State, twice.RetryAt));
        Assert.Equal((DeploymentState.Planning, (DateTimeOffset?)null), (thrice.State, thrice.RetryAt));
        Assert.Equal("broke. Its plan is bad, another one is looked for.", thrice.Reason);
    }

    [Fact]
    public void Relaunched_ThreePlansThreeTimesEach_IsGivenUp()
    {
        var deployment = Deployment(DeploymentState.Loading, "a") with { Failures = 8 };

        var last = deployment.Relaunched("broke.", counts: true, planIsBad: true, Options, Later);

        Assert.Equal((DeploymentState.Failed, "broke. Given up after 9 attempts."), (last.State, last.Reason));
    }

    [Fact]
    public void Orphans_ShardsOfUnknownDeployments() => Assert.Equal(
        [("a", Id)], Reconciler.Orphans(Actual(Node("a", Shard(0, ShardStage.Ready)), Node("b", NodeState.Lost, Shard(1, ShardStage.Ready))), []));

    private static ImmutableArray<DeploymentAction> Decide(Deployment deployment, params ActualNode[] nodes) =>
        Reconciler.Decide(deployment, Actual(nodes), Options, Later);
}
