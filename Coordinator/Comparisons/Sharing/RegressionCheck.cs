using System.Collections.Immutable;
using ClusterLlm.Coordinator.Comparisons.Statistics;

namespace ClusterLlm.Coordinator.Comparisons.Sharing;

/// <summary>Compares a comparison with the last one before it that measured the same. Pure.</summary>
internal static class RegressionCheck
{
    private const double Confidence = 0.95;

    // Two runs on two days differ by more than their own spreads; less is no news.
    private const double LeastChange = 0.05;

    /// <summary>What became slower or faster, by more than both spreads and 5 %; the chance of any false alarm in it is 5 %.</summary>
    public static ImmutableArray<Regression> Of(ComparisonRecord now, IEnumerable<ComparisonRecord> others)
    {
        var earlier = others.Where(one => one.Id != now.Id && one.CreatedAt < now.CreatedAt && one.State == ComparisonState.Completed)
            .OrderByDescending(one => one.CreatedAt).ToArray();
        var pairs = (from candidate in now.Candidates
                     where candidate.State == CandidateState.Measured
                     from cell in now.Cells
                     let match = earlier.Select(one => (Record: one, Candidate: Same(one, now, candidate, cell))).FirstOrDefault(one => one.Candidate is not null)
                     where match.Candidate is not null
                     select (Candidate: candidate, Cell: cell, Earlier: match.Record, Then: match.Candidate!)).ToArray();
        return
        [
            .. pairs.Select(pair => Compare(now, pair.Candidate, pair.Cell, pair.Earlier, pair.Then, (1 - Confidence) / 2 / pairs.Length)).OfType<Regression>(),
        ];
    }

    private static CandidateResult? Same(ComparisonRecord earlier, ComparisonRecord now, CandidateResult candidate, Cell cell) =>
        earlier.Model?.Fingerprint == now.Model?.Fingerprint && earlier.Cells.Contains(cell)
            ? earlier.Candidates.FirstOrDefault(one => one.State == CandidateState.Measured && one.Candidate.Signature == candidate.Candidate.Signature)
            : null;

    private static Regression? Compare(ComparisonRecord now, CandidateResult candidate, Cell cell, ComparisonRecord earlier, CandidateResult then, double tail)
    {
        var ratio = RatioEstimate.OfIndependent(Logs(now, candidate, cell), Logs(earlier, then, cell), tail);
        if (!(ratio.IsAbove || ratio.IsBelow) || Math.Abs(ratio.MeanLog) < Math.Log(1 + LeastChange))
        {
            return null;
        }

        var change = candidate.EngineVersion != then.EngineVersion ? $"; the engine was {then.EngineVersion} then and is {candidate.EngineVersion} now" : "";
        return new Regression(candidate.Candidate.Id, cell, earlier.Id, earlier.CreatedAt, ratio.Factor, ratio.IsBelow, FormattableString.Invariant(
            $"{candidate.Candidate.Label} at {cell} is {(ratio.IsBelow ? "SLOWER" : "faster")} than in {earlier.Id} of {earlier.CreatedAt:yyyy-MM-dd HH:mm}: {ratio.Factor} of what it was{change}."));
    }

    private static double[] Logs(ComparisonRecord record, CandidateResult candidate, Cell cell) =>
        [.. new Scores(record.Samples).Of(candidate.Candidate.Id, [cell]).Values];
}
