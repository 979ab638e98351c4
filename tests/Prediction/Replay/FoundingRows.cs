using ClusterLlm.Prediction.Fitting;
using ClusterLlm.Prediction.Rows;

namespace ClusterLlm.Prediction.Replay;

/// <summary>The measurement that the project started from: an M4 Pro with 64 GB, three models on MLX.</summary>
internal static class FoundingRows
{
    /// <summary>Its rows, by constants from other people's other Macs.</summary>
    public static Predicted[] Predict()
    {
        var decode = FitRow.Decode(MeasurementTable.BuiltIn).ToArray();
        var others = SpeedFit.Fit(decode.Where(row => !row.Row.Chip.Contains("M4 Pro", StringComparison.Ordinal)), FitPriors.Decode);
        return [.. SpeedFit.Predict(decode.Where(row => row.Row.Id is "SEED-1" or "SEED-2" or "SEED-3"), others)];
    }
}
