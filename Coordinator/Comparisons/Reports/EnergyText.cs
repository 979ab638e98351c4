using ClusterLlm.Coordinator.Comparisons.Statistics;

namespace ClusterLlm.Coordinator.Comparisons.Reports;

/// <summary>What is said of energy. Pure.</summary>
internal static class EnergyText
{
    private const string How = "by the machines' own estimate for CPU, GPU and neural engine, which is not made for comparing different models of Mac; memory, disks and screens are not in it";

    /// <summary>The candidate with the fewest joules per token for one request and for the most, or why there are none.</summary>
    public static string Of(ComparisonRecord record)
    {
        var figures = ReportFigures.Of(record).Where(one => one.JoulesPerToken is not null && one.Candidate.IsRanked).ToArray();
        if (figures.Length == 0)
        {
            return record.Samples.Any(sample => sample.PowerWatts is not null)
                ? "Energy is not told: no ranked candidate had readings of all its machines."
                : "Energy was not measured: no node told its power while a cell ran. On a Mac its agent must run as root, or be given Node:PowerCommand; a cell shorter than a second has no reading.";
        }

        var most = figures.Max(one => one.Cell.Concurrency);
        var least = figures.Min(one => one.Cell.Concurrency);
        var sentences = new[] { least, most }.Distinct().Select(concurrency => Least([.. figures.Where(one => one.Cell.Concurrency == concurrency)], concurrency));
        return $"Energy, {How}: {string.Join("; ", sentences)}.";
    }

    private static string Least(CellFigures[] figures, int concurrency)
    {
        var each = figures.GroupBy(one => one.Candidate.Candidate)
            .Select(group => (group.Key.Label, Joules: Quantiles.Median(group.Select(one => one.JoulesPerToken!.Value)))).OrderBy(one => one.Joules);
        return FormattableString.Invariant(
            $"at {concurrency} at once {string.Join(", ", each.Select(one => $"{one.Label} {ReportText.Number(one.Joules)} J per token"))}");
    }
}
