namespace ClusterLlm.Coordinator.Placement.Prediction;

/// <summary>The size of an Apple die: what the fixed cost per layer depends on besides the engine.</summary>
internal enum DieClass
{
    Unknown,
    Base,
    Pro,
    Max,
    Ultra,
}

/// <summary>What the predictor knows of a chip.</summary>
/// <param name="Generation">For example <c>M4</c>; empty when unknown.</param>
/// <param name="BandwidthBytesPerSecond">Of the memory, as published.</param>
/// <param name="ShaderFlops">16-bit floating point operations per second of the GPU's shaders.</param>
/// <param name="MatrixFlops">The same of what prefill runs on: the neural accelerators from M5 on, else the shaders.</param>
/// <param name="Assumption">What was assumed for want of an entry; <see langword="null"/> when the chip is known.</param>
/// <param name="Source">Where the figures were published.</param>
internal sealed record ChipFacts(
    string Chip,
    string Generation,
    DieClass Die,
    int GpuCores,
    double BandwidthBytesPerSecond,
    double ShaderFlops,
    double MatrixFlops,
    string? Assumption,
    string Source);
