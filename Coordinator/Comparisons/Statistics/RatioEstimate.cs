using MathNet.Numerics.Distributions;

namespace ClusterLlm.Coordinator.Comparisons.Statistics;

/// <summary>
/// By what factor one thing is faster than another, from pairs that were measured close together. Pairs share what the machine does at that time, so the spread of
/// their ratio is smaller than that of each side. Pure.
/// </summary>
/// <param name="Count">Pairs.</param>
/// <param name="MeanLog">Mean of the logarithms of the ratios.</param>
/// <param name="HalfWidth">Of the interval around it, in logarithms; infinite for fewer than two pairs.</param>
internal readonly record struct RatioEstimate(int Count, double MeanLog, double HalfWidth)
{
    /// <summary>A hundredfold either way. Two pairs have one degree of freedom: an interval from 0 to 1e17 is arithmetic, and says no more than that there are too few.</summary>
    private static readonly double WidestTelling = Math.Log(100);

    public Interval Factor => new(Math.Exp(MeanLog), Math.Exp(MeanLog - HalfWidth), Math.Exp(MeanLog + HalfWidth));

    /// <summary>The factor to show and to keep; <see langword="null"/> when its interval says nothing.</summary>
    public Interval? Telling => HalfWidth <= WidestTelling ? Factor : null;

    /// <summary>The whole interval lies above 1.</summary>
    public bool IsAbove => MeanLog - HalfWidth > 0;

    public bool IsBelow => MeanLog + HalfWidth < 0;

    /// <param name="logRatios">ln(a / b) of each pair.</param>
    /// <param name="tail">Chance on each side that the truth lies outside; in (0, 0.5).</param>
    /// <remarks>Student's t on logarithms: ratios of times are skewed, their logarithms hardly are.</remarks>
    public static RatioEstimate Of(IReadOnlyList<double> logRatios, double tail)
    {
        var count = logRatios.Count;
        if (count == 0)
        {
            return new RatioEstimate(0, 0, double.PositiveInfinity);
        }

        var mean = logRatios.Average();
        if (count == 1)
        {
            return new RatioEstimate(1, mean, double.PositiveInfinity);
        }

        var variance = logRatios.Sum(value => (value - mean) * (value - mean)) / (count - 1);
        return new RatioEstimate(count, mean, StudentT.InvCDF(0, 1, count - 1, 1 - tail) * Math.Sqrt(variance / count));
    }

    /// <summary>Two series that are not paired (Welch).</summary>
    public static RatioEstimate OfIndependent(IReadOnlyList<double> logs, IReadOnlyList<double> otherLogs, double tail)
    {
        if (logs.Count < 2 || otherLogs.Count < 2)
        {
            return new RatioEstimate(Math.Min(logs.Count, otherLogs.Count), logs.DefaultIfEmpty(0).Average() - otherLogs.DefaultIfEmpty(0).Average(), double.PositiveInfinity);
        }

        var (mean, part) = MeanAndVarianceOfMean(logs);
        var (otherMean, otherPart) = MeanAndVarianceOfMean(otherLogs);
        var sum = part + otherPart;
        var freedom = sum == 0
            ? logs.Count + otherLogs.Count - 2
            : sum * sum / ((part * part / (logs.Count - 1)) + (otherPart * otherPart / (otherLogs.Count - 1)));
        return new RatioEstimate(Math.Min(logs.Count, otherLogs.Count), mean - otherMean, StudentT.InvCDF(0, 1, freedom, 1 - tail) * Math.Sqrt(sum));
    }

    private static (double Mean, double VarianceOfMean) MeanAndVarianceOfMean(IReadOnlyList<double> values)
    {
        var mean = values.Average();
        return (mean, values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1) / values.Count);
    }
}
