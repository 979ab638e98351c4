using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Prediction.Fitting;

/// <summary>A row with what the constants say of it.</summary>
internal sealed record Predicted(FitRow Row, double Milliseconds)
{
    /// <summary>|predicted − measured| / measured speed.</summary>
    public double SpeedError => Math.Abs((Row.MeasuredMilliseconds / Milliseconds) - 1);

    /// <summary>Measured / predicted speed.</summary>
    public double Ratio => Milliseconds / Row.MeasuredMilliseconds;
}

/// <summary>Fits the constants and tries them on rows that they have not seen.</summary>
internal static class SpeedFit
{
    public static ImmutableSortedDictionary<string, double> Fit(IEnumerable<FitRow> rows, Func<string, Prior> priors) =>
        RobustRidge.Solve([.. rows.Select(row => row.Observation)], priors)
            .ToImmutableSortedDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);

    public static IEnumerable<Predicted> Predict(IEnumerable<FitRow> rows, ImmutableSortedDictionary<string, double> constants) =>
        rows.Select(row => new Predicted(row, SpeedConstants.Sum(constants, row.Terms)));

    /// <summary>Each row predicted by a fit on the rows with another key (chip, source).</summary>
    public static IEnumerable<Predicted> HeldOut(IReadOnlyList<FitRow> rows, Func<FitRow, string> key, Func<string, Prior> priors) =>
        rows.Select(key).Distinct().Order(StringComparer.Ordinal).SelectMany(value =>
            Predict(rows.Where(row => key(row) == value), Fit(rows.Where(row => key(row) != value), priors)));
}
