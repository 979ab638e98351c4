namespace ClusterLlm.Coordinator.Nodes;

/// <summary>Says from what was seen of a node how it stands.</summary>
internal static class NodeHealthPolicy
{
    /// <summary>The state of <paramref name="node"/> at <paramref name="now"/>, and why.</summary>
    /// <remarks>A reading counts as a sign of life like a renewal does: a machine too busy to renew in time is not lost while it reports.</remarks>
    public static (NodeState State, string? Reason) Assess(NodeSnapshot node, NodesOptions options, DateTimeOffset now)
    {
        var silence = now - node.LastSeenAt;
        if (silence > options.LeaseDuration)
        {
            return (NodeState.Lost, $"No sign of life since {node.LastSeenAt:HH:mm:ss} UTC; its lease of {Seconds(options.LeaseDuration)} has ended.");
        }

        if (node.Stream == NodeStreamState.Down && now - node.StreamSince > options.StreamGrace)
        {
            return (NodeState.Lost, $"Its agent has not been reachable since {node.StreamSince:HH:mm:ss} UTC.");
        }

        if (node.Stream == NodeStreamState.NeverOpened)
        {
            return now - node.JoinedAt > options.LeaseDuration
                ? (NodeState.Lost, $"It has joined, but none of its addresses answers: {Addresses(node)}.")
                : (NodeState.Joining, null);
        }

        return node.Draining ? (NodeState.Draining, "Takes no new shards.") : (NodeState.Ready, null);
    }

    /// <summary>Whether an agent that joins under the id of <paramref name="known"/> is a second one beside a living one, rather than the same one again.</summary>
    /// <remarks>
    /// A restarted agent comes back at the address it had, and two processes can't listen at one address; so a shared address on the same
    /// machine means that the old process is gone, even when its lease still runs.
    /// </remarks>
    public static bool IsSecondAgent(NodeSnapshot known, string instanceId, NodeFacts facts, NodesOptions options, DateTimeOffset now)
    {
        if (known.InstanceId == instanceId || known.State == NodeState.Lost || now - known.LastSeenAt > options.LeaseDuration)
        {
            return false;
        }

        var sameMachine = known.Facts.MachineId == facts.MachineId;
        var sharedAddress = known.Facts.Addresses.Any(old => facts.Addresses.Any(address => address.Url == old.Url));
        return !(sameMachine && sharedAddress) && known.Stream != NodeStreamState.Down;
    }

    private static string Seconds(TimeSpan time) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s");

    private static string Addresses(NodeSnapshot node) => string.Join(", ", node.Facts.Addresses.Select(address => address.Url));
}
