using System.Collections.Immutable;
using ClusterLlm.Coordinator.Hosting;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>The shards that agents report.</summary>
internal sealed class ShardRegistry
{
    private readonly SnapshotFeed<ImmutableSortedDictionary<string, NodeShards>> _feed =
        new(ImmutableSortedDictionary.Create<string, NodeShards>(StringComparer.Ordinal));

    public ImmutableSortedDictionary<string, NodeShards> Current => _feed.Current;

    public SnapshotFeed<ImmutableSortedDictionary<string, NodeShards>>.Subscription Subscribe() => _feed.Subscribe();

    /// <summary>Replaces all that is known of a node's shards: its agent has told everything it has.</summary>
    public void Reset(string nodeId, string instanceId, ImmutableArray<ShardFact> shards) =>
        _feed.Update(all => (all.SetItem(nodeId, new NodeShards(nodeId, instanceId, Known: true, shards)), true));

    /// <summary>Notes a change of one shard. One that stopped unasked stays, as a failure to be dealt with; one that was asked to is known already.</summary>
    public void Report(string nodeId, string instanceId, ShardFact shard) => Change(nodeId, instanceId, shards =>
        shard.Stage == ShardStage.Stopped && !shards.Any(known => Same(known, shard) && known.Stage != ShardStage.Stopping)
            ? Without(shards, shard)
            : Without(shards, shard).Add(shard));

    /// <summary>Notes that an agent has accepted a shard, unless its own report came first.</summary>
    public void ReportStarted(string nodeId, string instanceId, ShardFact shard) =>
        Change(nodeId, instanceId, shards => shards.Any(known => Same(known, shard)) ? shards : shards.Add(shard));

    /// <summary>Notes that an agent has stopped a deployment's shards up to a generation; 0 means all.</summary>
    public void ReportStopped(string nodeId, string instanceId, string deploymentId, int generation) =>
        Change(nodeId, instanceId, shards => shards.RemoveAll(
            shard => shard.DeploymentId == deploymentId && (generation == 0 || shard.Generation <= generation)));

    /// <summary>Notes that nothing certain is known of a node's shards until its agent tells again.</summary>
    public void MarkUnknown(string nodeId) => _feed.Update(all => all.TryGetValue(nodeId, out var known) && known.Known
        ? (all.SetItem(nodeId, known with { Known = false }), true)
        : (all, false));

    private void Change(string nodeId, string instanceId, Func<ImmutableArray<ShardFact>, ImmutableArray<ShardFact>> change) => _feed.Update(all =>
    {
        if (!all.TryGetValue(nodeId, out var node) || node.InstanceId != instanceId)
        {
            return (all, false);
        }

        var shards = change(node.Shards);
        return shards == node.Shards ? (all, false) : (all.SetItem(nodeId, node with { Shards = shards }), true);
    });

    private static ImmutableArray<ShardFact> Without(ImmutableArray<ShardFact> shards, ShardFact shard) => shards.RemoveAll(known => Same(known, shard));

    private static bool Same(ShardFact left, ShardFact right) =>
        left.DeploymentId == right.DeploymentId && left.Generation == right.Generation && left.Rank == right.Rank;
}
