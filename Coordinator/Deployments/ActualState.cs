using System.Collections.Immutable;
using ClusterLlm.Coordinator.Nodes;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>How far a shard on a node is.</summary>
internal enum ShardStage
{
    Loading,
    Connecting,
    Ready,
    Stopping,
    Stopped,
    Failed,
}

/// <summary>A shard as its agent reports it.</summary>
internal sealed record ShardFact(
    string DeploymentId, int Generation, int Rank, ShardStage Stage, long LoadedBytes, long TotalBytes, string Reason)
{
    /// <summary>It holds memory, or may still.</summary>
    public bool IsAlive => Stage is not (ShardStage.Stopped or ShardStage.Failed);
}

/// <summary>The shards of one agent.</summary>
/// <param name="InstanceId">Of the agent's process.</param>
/// <param name="Known">The agent has told all it has; until then a missing shard means nothing.</param>
internal sealed record NodeShards(string NodeId, string InstanceId, bool Known, ImmutableArray<ShardFact> Shards);

/// <summary>A node as the reconciler sees it.</summary>
/// <param name="Shards">Empty while not known.</param>
internal sealed record ActualNode(string NodeId, NodeState State, bool ShardsKnown, ImmutableArray<ShardFact> Shards)
{
    public bool IsUsable => State is NodeState.Ready or NodeState.Draining;
}

/// <summary>What really is, at one moment.</summary>
/// <param name="StartedAt">When the Coordinator started: nodes get a while from then to come back.</param>
internal sealed record ActualState(ImmutableSortedDictionary<string, ActualNode> Nodes, DateTimeOffset StartedAt)
{
    /// <summary>Joins what the node registry and the shard registry know.</summary>
    public static ActualState From(
        ImmutableSortedDictionary<string, NodeSnapshot> nodes, ImmutableSortedDictionary<string, NodeShards> shards, DateTimeOffset startedAt)
    {
        var joined = nodes.Values.Select(node =>
        {
            var known = shards.TryGetValue(node.NodeId, out var told) && told.InstanceId == node.InstanceId ? told : null;
            return new ActualNode(node.NodeId, node.State, known?.Known ?? false, known?.Shards ?? []);
        });
        return new ActualState(joined.ToImmutableSortedDictionary(node => node.NodeId, node => node, StringComparer.Ordinal), startedAt);
    }

    /// <summary>Shards of a deployment on usable nodes, with their node.</summary>
    public IEnumerable<(ActualNode Node, ShardFact Shard)> ShardsOf(string deploymentId) =>
        from node in Nodes.Values
        where node.IsUsable
        from shard in node.Shards
        where shard.DeploymentId == deploymentId
        select (node, shard);

    /// <summary>The nodes that can take shards, as one word: equal as long as planning again can't give another answer.</summary>
    public string Signature => string.Join(' ', Nodes.Values.Where(node => node.State == NodeState.Ready).Select(node => node.NodeId));
}
