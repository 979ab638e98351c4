using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Prediction.Fitting;

/// <summary>Constants that no published row can fit; they go into the table beside the fitted ones and are replaced by calibration.</summary>
internal static class AssumedConstants
{
    public static IReadOnlyDictionary<string, double> Decode { get; } = new Dictionary<string, double>(StringComparer.Ordinal)
    {
        // Further sequences of a batch run as matrix products: the share of the peak that prefill reaches on MLX, 1 / 1.3.
        ["compute batch"] = 1.3,

        // Our engine on a CPU: aim of its benchmark (0.3 of the read bandwidth at least), a pool wake-up per layer, a third of the peak.
        ["weights builtin"] = 2.5,
        ["cache builtin"] = 3,
        ["layer builtin"] = 0.05,
        ["compute builtin"] = 1,
    };

    public static IReadOnlyDictionary<string, double> Prefill { get; } =
        new Dictionary<string, double>(StringComparer.Ordinal) { ["compute builtin"] = 3 };

    /// <summary>Unmeasured: within a factor of 3.</summary>
    public static SpeedBand BuiltinBand { get; } = new("builtin", 0.333, 3, 0);
}
