using System.Collections.Immutable;
using ClusterLlm.Coordinator.Comparisons.Statistics;

namespace ClusterLlm.Coordinator.Comparisons.Reports;

/// <summary>A candidate at a cell, over all its rounds that count.</summary>
/// <param name="Aggregate">Geometric mean with the 95 % interval of this figure by itself.</param>
/// <param name="Decode">Median of the rounds, like the other figures.</param>
internal sealed record CellFigures(
    CandidateResult Candidate, Cell Cell, int Rounds, Interval Aggregate, double Decode, double Prefill, double TimeToFirstToken, double TimeToFirstTokenP95, double GapP95, CellPrediction? Predicted);

/// <summary>The figures of a report. Pure.</summary>
internal static class ReportFigures
{
    private const double Tail = 0.025;

    public static ImmutableArray<CellFigures> Of(ComparisonRecord record) =>
    [
        .. from candidate in record.Candidates
           from cell in record.Cells
           let samples = record.Samples.Where(sample => sample.Counts && sample.CandidateId == candidate.Candidate.Id && sample.Cell == cell && sample.AggregateTokensPerSecond > 0).ToArray()
           where samples.Length > 0
           select new CellFigures(
               candidate,
               cell,
               samples.Length,
               Finite(RatioEstimate.Of([.. samples.Select(sample => Math.Log(sample.AggregateTokensPerSecond))], Tail).Factor),
               Quantiles.Median(samples.Select(sample => sample.DecodeTokensPerSecond)),
               Quantiles.Median(samples.Select(sample => sample.PrefillTokensPerSecond)),
               Quantiles.Median(samples.Select(sample => sample.TimeToFirstTokenSeconds)),
               samples.Max(sample => sample.TimeToFirstTokenP95Seconds),
               Quantiles.Median(samples.Select(sample => sample.GapP95Milliseconds)),
               candidate.Predictions.FirstOrDefault(one => one.Cell == cell)),
    ];

    /// <summary>The most that any node of a candidate held, in bytes; 0 when no reading came.</summary>
    public static long PeakBytes(CandidateResult candidate) => candidate.NodeUse.Where(use => use.IsPart).Select(use => use.PeakEngineBytes).DefaultIfEmpty(0).Max();

    // One round has no interval: it is shown as the value alone.
    private static Interval Finite(Interval interval) => double.IsFinite(interval.High) ? interval : new Interval(interval.Value, interval.Value, interval.Value);
}
