using System.Collections.Immutable;
using ClusterLlm.Coordinator.Comparisons.Statistics;

namespace ClusterLlm.Coordinator.Comparisons.Reports;

/// <summary>A candidate at a cell, over all its rounds that count.</summary>
/// <param name="Together">Tokens per second of all requests, geometric mean.</param>
/// <param name="TogetherInterval">95 % for this figure by itself; <see langword="null"/> with too few rounds for one that says something.</param>
/// <param name="Decode">Median of the rounds, like the other figures.</param>
/// <param name="JoulesPerToken">Median of the rounds that measured it; <see langword="null"/> when none did.</param>
internal sealed record CellFigures(
    CandidateResult Candidate,
    Cell Cell,
    int Rounds,
    double Together,
    Interval? TogetherInterval,
    double Decode,
    double Prefill,
    double TimeToFirstToken,
    double TimeToFirstTokenP95,
    double GapP95,
    double? JoulesPerToken,
    CellPrediction? Predicted);

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
           let together = RatioEstimate.Of([.. samples.Select(sample => Math.Log(sample.AggregateTokensPerSecond))], Tail)
           select new CellFigures(
               candidate,
               cell,
               samples.Length,
               together.Factor.Value,
               together.Telling,
               Quantiles.Median(samples.Select(sample => sample.DecodeTokensPerSecond)),
               Quantiles.Median(samples.Select(sample => sample.PrefillTokensPerSecond)),
               Quantiles.Median(samples.Select(sample => sample.TimeToFirstTokenSeconds)),
               samples.Max(sample => sample.TimeToFirstTokenP95Seconds),
               Quantiles.Median(samples.Select(sample => sample.GapP95Milliseconds)),
               Sample.MedianJoules(samples),
               candidate.Predictions.FirstOrDefault(one => one.Cell == cell)),
    ];

    /// <summary>The most that any node of a candidate held, in bytes; 0 when no reading came.</summary>
    public static long PeakBytes(CandidateResult candidate) => candidate.NodeUse.Where(use => use.IsPart).Select(use => use.PeakEngineBytes).DefaultIfEmpty(0).Max();
}
