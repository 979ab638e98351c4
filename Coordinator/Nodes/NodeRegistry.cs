using System.Collections.Immutable;
using ClusterLlm.Coordinator.Hosting;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Nodes;

/// <summary>All nodes of the cluster, by id.</summary>
internal sealed partial class NodeRegistry(IOptions<NodesOptions> options, TimeProvider time, ILogger<NodeRegistry> logger)
{
    private readonly NodesOptions _options = options.Value;
    private readonly SnapshotFeed<ImmutableSortedDictionary<string, NodeSnapshot>> _feed =
        new(ImmutableSortedDictionary.Create<string, NodeSnapshot>(StringComparer.Ordinal));

    public ImmutableSortedDictionary<string, NodeSnapshot> Current => _feed.Current;

    /// <summary>The nodes of now, then every change.</summary>
    public SnapshotFeed<ImmutableSortedDictionary<string, NodeSnapshot>>.Subscription Subscribe() => _feed.Subscribe();

    /// <summary>Takes a node in, or takes it back after a restart.</summary>
    /// <returns>The node's snapshot, or <see langword="null"/> when another living agent holds the id.</returns>
    public NodeSnapshot? Join(string nodeId, string instanceId, NodeFacts facts, bool fromLoopback)
    {
        var now = time.GetUtcNow();
        var joined = _feed.Update(nodes =>
        {
            var known = nodes.GetValueOrDefault(nodeId);
            if (known is not null && NodeHealthPolicy.IsSecondAgent(known, instanceId, facts, _options, now))
            {
                return (nodes, (NodeSnapshot?)null);
            }

            var same = known?.InstanceId == instanceId ? known : null;
            var node = new NodeSnapshot(
                nodeId,
                instanceId,
                Guid.NewGuid().ToString("N"),
                facts,
                NodeState.Joining,
                StateReason: null,
                known?.Draining ?? false,
                fromLoopback,
                now,
                now,
                LeaseSequence: 0,
                same?.Stream ?? NodeStreamState.NeverOpened,
                same?.StreamSince ?? now,
                same?.Reading);
            node = Assessed(node, now);
            return (nodes.SetItem(nodeId, node), node);
        });
        if (joined is null)
        {
            LogRefused(nodeId, instanceId);
        }
        else
        {
            LogJoined(nodeId, instanceId, facts.Addresses[0].Url);
        }

        return joined;
    }

    /// <summary>Prolongs a lease. A sequence number that came before is not an error, but does not count as a sign of life.</summary>
    /// <returns>False when the lease is not this node's or has ended: the agent must join again.</returns>
    public bool Renew(string nodeId, string leaseId, ulong sequence)
    {
        var now = time.GetUtcNow();
        return _feed.Update(nodes =>
        {
            if (!nodes.TryGetValue(nodeId, out var node) || node.LeaseId != leaseId || now - node.LastSeenAt > _options.LeaseDuration)
            {
                return (nodes, false);
            }

            if (sequence <= node.LeaseSequence)
            {
                return (nodes, true);
            }

            return (nodes.SetItem(nodeId, Assessed(node with { LeaseSequence = sequence, LastSeenAt = now }, now)), true);
        });
    }

    /// <summary>Takes a node out at its own wish. Another lease than the current one changes nothing.</summary>
    public void Leave(string nodeId, string leaseId, string reason)
    {
        var left = _feed.Update(nodes => nodes.TryGetValue(nodeId, out var node) && node.LeaseId == leaseId
            ? (nodes.Remove(nodeId), true)
            : (nodes, false));
        if (left)
        {
            LogLeft(nodeId, reason);
        }
    }

    /// <summary>Takes a node out at a person's wish. An agent that still runs joins again.</summary>
    /// <returns>False when there is no such node.</returns>
    public bool Remove(string nodeId) =>
        _feed.Update(nodes =>
        {
            // The same instance comes back when there was no such node.
            var left = nodes.Remove(nodeId);
            return (left, !ReferenceEquals(left, nodes));
        });

    /// <summary>Lets a node take no new shards, or take them again.</summary>
    /// <returns>The node, or <see langword="null"/> when there is no such node.</returns>
    public NodeSnapshot? SetDraining(string nodeId, bool draining) => Change(nodeId, instanceId: null, node => node with { Draining = draining });

    /// <summary>Notes a reading of the telemetry stream.</summary>
    public void Report(string nodeId, string instanceId, NodeReading reading)
    {
        var now = time.GetUtcNow();
        Change(nodeId, instanceId, node => node with
        {
            Reading = reading,
            LastSeenAt = now,
            Stream = NodeStreamState.Open,
            StreamSince = node.Stream == NodeStreamState.Open ? node.StreamSince : now,
        });
    }

    /// <summary>Notes that the telemetry stream ended or could not be opened.</summary>
    public void ReportStreamDown(string nodeId, string instanceId)
    {
        var now = time.GetUtcNow();
        Change(nodeId, instanceId, node => node.Stream == NodeStreamState.Open ? node with { Stream = NodeStreamState.Down, StreamSince = now } : node);
    }

    /// <summary>Looks at every node's silence.</summary>
    public void AssessAll()
    {
        foreach (var node in Current.Values)
        {
            Change(node.NodeId, node.InstanceId, same => same);
        }
    }

    private NodeSnapshot? Change(string nodeId, string? instanceId, Func<NodeSnapshot, NodeSnapshot> change)
    {
        var now = time.GetUtcNow();
        var (before, after) = _feed.Update(nodes =>
        {
            if (!nodes.TryGetValue(nodeId, out var node) || (instanceId is not null && node.InstanceId != instanceId))
            {
                return (nodes, ((NodeSnapshot?)null, (NodeSnapshot?)null));
            }

            var next = Assessed(change(node), now);
            return (next == node ? nodes : nodes.SetItem(nodeId, next), (node, next));
        });
        if (before is not null && after is not null && before.State != after.State)
        {
            LogState(nodeId, before.State, after.State, after.StateReason ?? "-");
        }

        return after;
    }

    private NodeSnapshot Assessed(NodeSnapshot node, DateTimeOffset now)
    {
        var (state, reason) = NodeHealthPolicy.Assess(node, _options, now);
        return state == node.State && reason == node.StateReason ? node : node with { State = state, StateReason = reason };
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Node {NodeId} joined (agent {InstanceId} at {Address}).")]
    private partial void LogJoined(string nodeId, string instanceId, string address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Agent {InstanceId} wants to join as {NodeId}, but another living agent holds that id.")]
    private partial void LogRefused(string nodeId, string instanceId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Node {NodeId} left: {Reason}.")]
    private partial void LogLeft(string nodeId, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Node {NodeId}: {Before} -> {After} ({Reason}).")]
    private partial void LogState(string nodeId, NodeState before, NodeState after, string reason);
}
