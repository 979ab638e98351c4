using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Comparisons.Verdicts;

/// <summary>Finds the number of requests from which on the cluster is better. Pure.</summary>
internal static class BreakEvens
{
    /// <returns><see langword="null"/> when fewer than two concurrencies of one workload were measured.</returns>
    public static BreakEven? Find(ImmutableArray<CellFinding> cells)
    {
        var series = cells.Where(cell => cell.Factor is not null).GroupBy(cell => cell.Cell.Workload)
            .MaxBy(group => group.Select(cell => cell.Cell.Concurrency).Distinct().Count())?
            .OrderBy(cell => cell.Cell.Concurrency).ToArray();
        if (series is null || series.Length < 2)
        {
            return null;
        }

        var (first, last) = (series[0], series[^1]);
        if (last.Factor!.Value <= 1)
        {
            return new BreakEven(null, $"Up to {last.Cell.Concurrency} requests at once the cluster is not faster than the best node.");
        }

        // From the end: what counts is from where on it stays better.
        var index = series.Length - 1;
        while (index > 0 && series[index - 1].Factor!.Value > 1)
        {
            index--;
        }

        if (index == 0)
        {
            return new BreakEven(null, first.Factor!.Low > 1
                ? $"The cluster is faster at every measured number of requests, from {first.Cell.Concurrency} on."
                : $"The cluster is not slower at any measured number of requests, from {first.Cell.Concurrency} on.");
        }

        return Between(series[index - 1], series[index]);
    }

    private static BreakEven Between(CellFinding below, CellFinding above)
    {
        // Linear in the logarithms of both: twice as many requests, so much more of a factor.
        var (low, high) = (Math.Log(below.Factor!.Value), Math.Log(above.Factor!.Value));
        var share = -low / (high - low);
        var at = Math.Exp(Math.Log(below.Cell.Concurrency) + (share * (Math.Log(above.Cell.Concurrency) - Math.Log(below.Cell.Concurrency))));
        var certain = below.Factor.High < 1 && above.Factor.Low > 1;
        return new BreakEven(at, FormattableString.Invariant(
            $"The cluster becomes faster between {below.Cell.Concurrency} and {above.Cell.Concurrency} requests at once, at about {at:0.#}{(certain ? "" : "; the intervals there still hold 1")}."));
    }
}
