namespace ClusterLlm.Coordinator.Placement.Prediction;

/// <summary>What it costs to hand activations from one stage to the next: software first, then the link's latency, then bytes.</summary>
internal static class HopModel
{
    // assumed; our own stage stream over HTTP/2, serialising included. Replace when measured.
    private const double BuiltinSoftwareMilliseconds = 0.4;

    // The hops that the constant was fitted on ran over links with a round trip of about this (links.csv: 209–950 µs).
    private const double FittedRoundTripMilliseconds = 0.4;

    public const string DefaultLink = "1gbe";

    /// <param name="sequences">Activations of so many tokens travel together.</param>
    public static double Milliseconds(
        NodeCapacity from,
        NodeCapacity to,
        ClusterSnapshot cluster,
        PlanningKnowledge knowledge,
        EngineFacts engine,
        ModelSpec model,
        string? assumedLink,
        int sequences)
    {
        var bytes = (double)model.HiddenSize * sequences * (engine.Family == EngineFamily.Builtin ? 4 : 2);
        if (Measured(cluster, from.NodeId, to.NodeId) is { } measured)
        {
            var software = engine.Family == EngineFamily.Builtin
                ? BuiltinSoftwareMilliseconds
                : Math.Max(0, knowledge.Constants.Hops.GetValueOrDefault("hop mlx tcp") - (FittedRoundTripMilliseconds / 2));
            return software + (measured.RoundTrip.TotalMilliseconds / 2) + (bytes / measured.BandwidthBytesPerSecond * 1e3);
        }

        var link = from.MachineId == to.MachineId
            ? Kind(knowledge, "loopback")
            : Slower(Kind(knowledge, from.Link ?? assumedLink), Kind(knowledge, to.Link ?? assumedLink));
        var fixedPart = engine.Family == EngineFamily.Builtin
            ? BuiltinSoftwareMilliseconds + (link.RoundTripMilliseconds / 2)
            : link.HopMilliseconds;
        return fixedPart + (bytes / link.BandwidthBytesPerSecond * 1e3);
    }

    private static LinkFacts Kind(PlanningKnowledge knowledge, string? name) =>
        knowledge.Link(name ?? DefaultLink) ?? knowledge.Link(DefaultLink) ?? new LinkFacts(DefaultLink, 0.4, 0.115e9, 3.2, "assumed");

    private static LinkFacts Slower(LinkFacts left, LinkFacts right) => left.HopMilliseconds >= right.HopMilliseconds ? left : right;

    private static LinkMeasurement? Measured(ClusterSnapshot cluster, string from, string to)
    {
        if (cluster.Links.IsDefaultOrEmpty)
        {
            return null;
        }

        foreach (var link in cluster.Links)
        {
            if ((link.FromNodeId == from && link.ToNodeId == to) || (link.FromNodeId == to && link.ToNodeId == from))
            {
                return link;
            }
        }

        return null;
    }
}
