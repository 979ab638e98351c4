using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement.Prediction;
using ClusterLlm.Prediction.Rows;

namespace ClusterLlm.Prediction.Fitting;

/// <summary>The whole fit: decode, prefill, hops and bands from one table of measurements.</summary>
internal static class ConstantsFit
{
    public static SpeedConstants Fit(ImmutableArray<MeasurementRow> rows)
    {
        var decode = FitRow.Decode(rows).ToArray();
        var prefill = FitRow.Prefill(rows).ToArray();
        var single = new SpeedConstants(
            $"Fitted by tests/Prediction on {decode.Length} decode and {prefill.Length} prefill rows of measurements.csv; rerun with: dotnet run -c Release --project tests/Benchmarks -- fit",
            Rounded(SpeedFit.Fit(decode, FitPriors.Decode)).AddRange(AssumedConstants.Decode),
            Rounded(SpeedFit.Fit(prefill, FitPriors.Prefill)).AddRange(AssumedConstants.Prefill),
            ImmutableSortedDictionary<string, double>.Empty,
            [.. BandFit.Fit(Unseen(decode, FitPriors.Decode), "decode"), .. BandFit.Fit(Unseen(prefill, FitPriors.Prefill), "prefill"), AssumedConstants.BuiltinBand]);
        return single with { Hops = HopFit.Fit(rows, single) };
    }

    /// <summary>Every row twice: by a fit that has not seen its chip, and by one that has not seen its source.</summary>
    public static Predicted[] Unseen(FitRow[] rows, Func<string, Prior> priors) =>
    [
        .. SpeedFit.HeldOut(rows, row => row.Row.Chip, priors),
        .. SpeedFit.HeldOut(rows, row => row.Row.Source, priors),
    ];

    private static ImmutableSortedDictionary<string, double> Rounded(ImmutableSortedDictionary<string, double> constants) =>
        constants.ToImmutableSortedDictionary(pair => pair.Key, pair => Math.Round(pair.Value, 4), StringComparer.Ordinal);
}
