namespace ClusterLlm.Coordinator.Comparisons.Statistics;

/// <summary>Quantiles of small sets. Pure.</summary>
internal static class Quantiles
{
    /// <summary>By linear interpolation between the sorted values (type 7, as numpy's default); NaN of nothing.</summary>
    /// <param name="share">0 to 1.</param>
    public static double Of(IEnumerable<double> values, double share)
    {
        var sorted = values.Order().ToArray();
        if (sorted.Length == 0)
        {
            return double.NaN;
        }

        var at = share * (sorted.Length - 1);
        var below = (int)Math.Floor(at);
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((at - below) * (sorted[above] - sorted[below]));
    }

    public static double Median(IEnumerable<double> values) => Of(values, 0.5);
}
