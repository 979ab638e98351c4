using ClusterLlm.Coordinator.Deployments;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace ClusterLlm.Coordinator.Tests.Deployments;

public sealed class ReconcilerPropertyTests
{
    [Property(MaxTest = 500)]
    public Property Decide_AnyEvents_NeverStartsALayerTwice((byte Kind, byte Which)[] events)
    {
        var simulation = Run(events);
        return (simulation.Violation is null).Label(simulation.Violation ?? "");
    }

    [Property(MaxTest = 500)]
    public Property Decide_AnyEventsThenCalm_ConvergesWithoutOrphans((byte Kind, byte Which)[] events)
    {
        var simulation = Run(events);
        simulation.Settle();
        var deployment = simulation.Deployment;
        var live = simulation.LiveShards.ToArray();
        var settled = deployment.Wanted ? deployment.State is DeploymentState.Ready or DeploymentState.Failed : deployment.State == DeploymentState.Stopped;
        var placed = deployment.State == DeploymentState.Ready
            ? deployment.Plan!.Placement.Stages.Select(stage => (stage.NodeId, deployment.Generation, stage.Rank)).Order().ToArray()
            : [];
        return settled.Label($"ended as {deployment.State}: {deployment.Reason}")
            .And(live.Select(pair => (pair.NodeId, pair.Shard.Generation, pair.Shard.Rank)).Order().SequenceEqual(placed)
                .Label($"{deployment.State} with {string.Join("; ", live)}"))
            .And((simulation.Violation is null).Label(simulation.Violation ?? ""));
    }

    private static ReconcilerSimulation Run((byte Kind, byte Which)[] events)
    {
        var simulation = new ReconcilerSimulation();
        foreach (var (kind, which) in events)
        {
            simulation.Step(kind, which);
        }

        return simulation;
    }
}
