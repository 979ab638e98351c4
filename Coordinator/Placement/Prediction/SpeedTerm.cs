namespace ClusterLlm.Coordinator.Placement.Prediction;

/// <summary>Where the time of a step goes.</summary>
internal enum SpeedPart
{
    Weights,
    Cache,
    Layers,
    Compute,
    Hops,
}

/// <summary>One term of the sum: <c>constant[Name] × Milliseconds</c>.</summary>
/// <param name="Name">The constant's name in the fitted table.</param>
/// <param name="Milliseconds">
/// What the part would take at the published figure (bytes / bandwidth, operations / peak), or the number of layers when the constant itself
/// is milliseconds per layer.
/// </param>
internal readonly record struct SpeedTerm(string Name, SpeedPart Part, double Milliseconds);
