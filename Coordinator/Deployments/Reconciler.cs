using System.Collections.Immutable;
using ClusterLlm.Coordinator.Nodes;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Compares what should be with what is, and says what to do next. Pure; see README.md for the states.</summary>
internal static class Reconciler
{
    /// <summary>The next actions for <paramref name="deployment"/>, to be done in order; empty when all is as it should be or something is awaited.</summary>
    public static ImmutableArray<DeploymentAction> Decide(
        Deployment deployment, ActualState actual, DeploymentsOptions options, DateTimeOffset now)
    {
        if (!deployment.Wanted)
        {
            return DecideStop(deployment, actual);
        }

        var leftovers = Leftovers(deployment, actual);
        if (deployment.State == DeploymentState.Failed || !leftovers.IsEmpty)
        {
            // A new launch needs the memory of the old one, so that goes first.
            return leftovers;
        }

        if (deployment.RetryAt > now)
        {
            return [new DeploymentAction.Wait(deployment.RetryAt.Value)];
        }

        if (deployment.Plan is null)
        {
            return PlanUnlessBlocked(deployment, actual);
        }

        // After its own start the Coordinator knows no node yet: they are not lost, they are on their way.
        var missingNodes = MissingNodes(deployment, actual);
        var graceEnd = actual.StartedAt + options.StartupGrace;
        if (now < graceEnd && missingNodes.Any(nodeId => actual.Nodes.GetValueOrDefault(nodeId)?.State is null or NodeState.Joining))
        {
            return [new DeploymentAction.Wait(graceEnd)];
        }

        if (deployment.State is DeploymentState.Pending or DeploymentState.Planning)
        {
            return PlanUnlessBlocked(deployment, actual);
        }

        return missingNodes.IsEmpty
            ? DecideWithAllNodes(deployment, actual, options, now)
            : DecideWithoutNodes(deployment, actual, missingNodes);
    }

    /// <summary>Shards of no known deployment, that nobody will ever stop.</summary>
    public static ImmutableArray<(string NodeId, string DeploymentId)> Orphans(ActualState actual, IReadOnlyCollection<string> deploymentIds) =>
    [
        .. actual.Nodes.Values.Where(node => node.IsUsable)
            .SelectMany(node => node.Shards, (node, shard) => (node.NodeId, shard.DeploymentId))
            .Where(shard => !deploymentIds.Contains(shard.DeploymentId))
            .Distinct(),
    ];

    private static ImmutableArray<DeploymentAction> DecideStop(Deployment deployment, ActualState actual)
    {
        ImmutableArray<DeploymentAction> stops = [.. Distinct(actual.ShardsOf(deployment.Id)).Select(nodeId => new DeploymentAction.Stop(nodeId, 0))];
        if (deployment.State == DeploymentState.Stopped)
        {
            return stops;
        }

        if (stops.IsEmpty)
        {
            return [new DeploymentAction.Become(DeploymentState.Stopped, null)];
        }

        return deployment.State == DeploymentState.Stopping ? stops : stops.Insert(0, new DeploymentAction.Become(DeploymentState.Stopping, null));
    }

    // Shards of older generations, of a given-up deployment, and on nodes that the plan does not know.
    private static ImmutableArray<DeploymentAction> Leftovers(Deployment deployment, ActualState actual)
    {
        var given = deployment.State == DeploymentState.Failed;
        var placed = deployment.Plan?.Placement.Stages.Select(stage => (stage.NodeId, stage.Rank)).ToHashSet() ?? [];
        return
        [
            .. actual.ShardsOf(deployment.Id)
                .Where(pair => given || pair.Shard.Generation < deployment.Generation || !placed.Contains((pair.Node.NodeId, pair.Shard.Rank)))
                .GroupBy(pair => pair.Node.NodeId, pair => pair.Shard.Generation)
                .Select(node => new DeploymentAction.Stop(node.Key, node.Max())),
        ];
    }

    private static ImmutableArray<DeploymentAction> PlanUnlessBlocked(Deployment deployment, ActualState actual) =>
        deployment.BlockedBy == actual.Signature ? [] : [new DeploymentAction.Plan()];

    private static ImmutableArray<string> MissingNodes(Deployment deployment, ActualState actual) =>
    [
        .. deployment.Plan!.Placement.Stages.Select(stage => stage.NodeId)
            .Where(nodeId => !(actual.Nodes.TryGetValue(nodeId, out var node) && node.IsUsable)),
    ];

    private static ImmutableArray<DeploymentAction> DecideWithoutNodes(
        Deployment deployment, ActualState actual, ImmutableArray<string> missing)
    {
        if (deployment.State != DeploymentState.Degraded)
        {
            return [new DeploymentAction.Become(DeploymentState.Degraded, LostReason(missing, actual))];
        }

        // An agent that has just restarted is ready or lost within seconds; moving its layers elsewhere would take longer.
        return missing.All(nodeId => actual.Nodes.GetValueOrDefault(nodeId)?.State == NodeState.Joining)
            ? []
            : PlanUnlessBlocked(deployment, actual);
    }

    private static string LostReason(ImmutableArray<string> missing, ActualState actual) =>
        string.Join(' ', missing.Select(nodeId => actual.Nodes.GetValueOrDefault(nodeId)?.State switch
        {
            null => $"Node {nodeId} has left.",
            NodeState.Joining => $"Node {nodeId} has restarted.",
            _ => $"Node {nodeId} is lost.",
        }));

    private static ImmutableArray<DeploymentAction> DecideWithAllNodes(
        Deployment deployment, ActualState actual, DeploymentsOptions options, DateTimeOffset now)
    {
        if (deployment.State == DeploymentState.Preparing)
        {
            return [new DeploymentAction.Prepare()];
        }

        var stages = deployment.Plan!.Placement.Stages;
        if (stages.Any(stage => !actual.Nodes[stage.NodeId].ShardsKnown))
        {
            return [];
        }

        var shards = stages.Select(stage => (Stage: stage, Shard: actual.Nodes[stage.NodeId].Shards.FirstOrDefault(
            shard => shard.DeploymentId == deployment.Id && shard.Generation == deployment.Generation && shard.Rank == stage.Rank))).ToArray();
        var broken = shards.Where(pair => pair.Shard is { IsAlive: false } or { Stage: ShardStage.Stopping })
            .Select(pair => $"Node {pair.Stage.NodeId}, rank {pair.Stage.Rank}: {Why(pair.Shard!)}").ToArray();
        ImmutableArray<int> absent = [.. shards.Where(pair => pair.Shard is null).Select(pair => pair.Stage.Rank)];
        return (deployment.State, broken.Length, absent.Length) switch
        {
            (DeploymentState.Ready, 0, 0) => DecideDrain(deployment, actual),
            (DeploymentState.Ready, > 0, _) => [new DeploymentAction.Become(DeploymentState.Degraded, string.Join(' ', broken))],
            (DeploymentState.Ready, _, _) => [new DeploymentAction.Become(DeploymentState.Degraded, Vanished(deployment, absent))],
            (_, > 0, _) => [new DeploymentAction.Relaunch(string.Join(' ', broken), Counts: true)],
            (DeploymentState.Loading, _, > 0) => [new DeploymentAction.Start(absent)],
            (_, _, > 0) => [new DeploymentAction.Relaunch(deployment.Reason ?? Vanished(deployment, absent), Counts: false)],
            _ when shards.All(pair => pair.Shard!.Stage == ShardStage.Ready) => [new DeploymentAction.Become(DeploymentState.Ready, null)],
            _ when now - deployment.StateSince > options.LoadTimeout =>
                [new DeploymentAction.Relaunch($"Its shards were not ready within {options.LoadTimeout}: {Progress(shards.Select(pair => pair.Shard!))}.", Counts: true)],
            _ => [],
        };
    }

    private static ImmutableArray<DeploymentAction> DecideDrain(Deployment deployment, ActualState actual) =>
        deployment.Plan!.Placement.Stages.Any(stage => actual.Nodes[stage.NodeId].State == NodeState.Draining)
            ? PlanUnlessBlocked(deployment, actual)
            : [];

    private static string Vanished(Deployment deployment, ImmutableArray<int> ranks) =>
        string.Join(' ', deployment.Plan!.Placement.Stages.Where(stage => ranks.Contains(stage.Rank))
            .Select(stage => $"Node {stage.NodeId} no longer runs rank {stage.Rank}."));

    private static string Why(ShardFact shard) => shard.Reason.Length > 0 ? shard.Reason : $"its shard is {shard.Stage.ToString().ToLowerInvariant()}.";

    private static string Progress(IEnumerable<ShardFact> shards) =>
        string.Join(", ", shards.Select(shard => $"rank {shard.Rank} {shard.Stage.ToString().ToLowerInvariant()} with {shard.LoadedBytes} of {shard.TotalBytes} bytes"));

    private static IEnumerable<string> Distinct(IEnumerable<(ActualNode Node, ShardFact Shard)> shards) =>
        shards.Select(pair => pair.Node.NodeId).Distinct();
}
