using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Placement.Prediction;

/// <summary>What the planner knows beside the cluster: fitted constants, chips and links. Loaded by the catalogue, so that placement reads no files.</summary>
/// <param name="ChipOf">The chip of a node; never fails: unknown chips come with an assumption.</param>
internal sealed record PlanningKnowledge(
    SpeedConstants Constants,
    Func<NodeCapacity, ChipFacts> ChipOf,
    ImmutableArray<LinkFacts> Links)
{
    public LinkFacts? Link(string name) =>
        Links.FirstOrDefault(link => string.Equals(link.Name, name, StringComparison.OrdinalIgnoreCase));
}

/// <summary>A kind of link.</summary>
/// <param name="HopMilliseconds">What a hop costs on it between two MLX stages, software included.</param>
internal sealed record LinkFacts(
    string Name,
    double RoundTripMilliseconds,
    double BandwidthBytesPerSecond,
    double HopMilliseconds,
    string Source);

/// <summary>A machine's own constants, from two measurements on it.</summary>
/// <param name="BandwidthShare">Share of the published bandwidth that reading weights reaches; in (0, 1.2].</param>
/// <param name="LayerMilliseconds">Fixed cost per layer and step; ≥ 0.</param>
internal sealed record EngineCalibration(
    string Engine,
    string EngineVersion,
    string OperatingSystem,
    double BandwidthShare,
    double LayerMilliseconds,
    DateTimeOffset MeasuredAt)
{
    /// <summary>Whose measurements it comes from, when they are of other machines with the same chip; <see langword="null"/> for the machine's own.</summary>
    public string? Source { get; init; }

    /// <summary>Operations per second on the further sequences of a batch, as seen; <see langword="null"/> for the chip's by the engine's constant.</summary>
    public double? BatchFlopsPerSecond { get; init; }
}
