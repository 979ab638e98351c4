using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Nodes.Links;

/// <summary>An address of a node, as another node found it.</summary>
/// <param name="Url">Of the measured node's agent.</param>
/// <param name="Kind">thunderbolt, ethernet, wifi or unknown.</param>
/// <param name="RoundTripMilliseconds">Median of small calls; <see langword="null"/> when it did not answer.</param>
/// <param name="BandwidthBytesPerSecond">One way; <see langword="null"/> when it did not answer.</param>
/// <param name="Problem">Why it did not answer.</param>
internal sealed record AddressReading(
    string Url, string Kind, string Interface, double? RoundTripMilliseconds, double? BandwidthBytesPerSecond, string? Problem, DateTimeOffset MeasuredAt);

/// <summary>The ways from a node to another.</summary>
/// <param name="Chosen">An address that a person has set; <see langword="null"/>: the best one is taken.</param>
internal sealed record NodeLink(string FromNodeId, string ToNodeId, ImmutableArray<AddressReading> Addresses, string? Chosen);

/// <summary>The address that is used from a node to another.</summary>
/// <param name="Url"><see langword="null"/>: the node has none that others could try.</param>
/// <param name="Reason">Why this one, for people.</param>
internal sealed record LinkDecision(string? Url, string Reason);

/// <summary>Chooses one of several addresses. Pure.</summary>
internal static class LinkChoice
{
    // What a stage sends for a short prompt of a 70B model in half precision: 64 KiB weighs round trip and bandwidth as decoding and prefill together do.
    private const double MessageBytes = 64 * 1024;

    /// <param name="usable">Addresses that the node has now, in order of their kinds: the first one is taken where nothing was measured.</param>
    /// <param name="link">What is known of the pair; <see langword="null"/>: nothing.</param>
    public static LinkDecision Decide(ImmutableArray<string> usable, NodeLink? link)
    {
        if (usable.IsEmpty)
        {
            return new(null, "the node has told no address that another machine can reach");
        }

        if (link?.Chosen is { } chosen && usable.Contains(chosen))
        {
            return new(chosen, "set by hand");
        }

        var best = link?.Addresses
            .Where(reading => usable.Contains(reading.Url) && reading is { RoundTripMilliseconds: not null, BandwidthBytesPerSecond: > 0 })
            .OrderBy(MessageMilliseconds)
            .ThenBy(reading => usable.IndexOf(reading.Url))
            .FirstOrDefault();
        return best is null
            ? new(usable[0], usable.Length == 1 ? "the only address" : "the fastest kind of link; not measured")
            : new(best.Url, FormattableString.Invariant($"fastest of {usable.Length} addresses as measured: {best.RoundTripMilliseconds:0.###} ms round trip, {best.BandwidthBytesPerSecond / 1e6:0.#} MB/s"));
    }

    /// <summary>Milliseconds for one message of <see cref="MessageBytes"/>.</summary>
    public static double MessageMilliseconds(AddressReading reading) =>
        (reading.RoundTripMilliseconds!.Value / 2) + (MessageBytes / reading.BandwidthBytesPerSecond!.Value * 1e3);
}
