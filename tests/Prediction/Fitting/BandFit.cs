using ClusterLlm.Coordinator.Placement.Prediction;
using ClusterLlm.Prediction.Replay;

namespace ClusterLlm.Prediction.Fitting;

/// <summary>
/// Bands from errors on unseen rows: each row is predicted once by a fit without its chip and once by a fit without its source, and the
/// band holds the middle 84 % of both, so that at least 80 % of new rows should fall into it.
/// </summary>
internal static class BandFit
{
    private const double Tail = 0.08;
    private const int FewestRows = 6;

    public static IEnumerable<SpeedBand> Fit(IReadOnlyList<Predicted> unseen, string fallbackClass)
    {
        var all = unseen.Select(row => row.Ratio).Order().ToArray();
        yield return Band(fallbackClass, all);
        foreach (var group in unseen.GroupBy(row => row.Row.Band).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            var ratios = group.Select(row => row.Ratio).Order().ToArray();
            if (ratios.Length >= 2 * FewestRows)
            {
                yield return Band(group.Key, ratios);
            }
        }
    }

    private static SpeedBand Band(string name, double[] ratios) => new(
        name,
        Math.Round(Math.Min(1, Statistics.Quantile(ratios, Tail)), 3),
        Math.Round(Math.Max(1, Statistics.Quantile(ratios, 1 - Tail)), 3),
        ratios.Length / 2);
}
