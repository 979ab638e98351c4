namespace ClusterLlm.Prediction.Replay;

internal static class Statistics
{
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? double.NaN : Quantile(sorted, 0.5);
    }

    /// <param name="sorted">Ascending; not empty.</param>
    /// <param name="share">0 to 1; between two values it is interpolated.</param>
    public static double Quantile(double[] sorted, double share)
    {
        var position = share * (sorted.Length - 1);
        var below = (int)Math.Floor(position);
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((position - below) * (sorted[above] - sorted[below]));
    }
}
