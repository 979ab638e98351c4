using System.Collections.Immutable;
using ClusterLlm.Coordinator.Comparisons.Statistics;

namespace ClusterLlm.Coordinator.Comparisons.Load;

/// <summary>A run in figures, by the definitions of docs/measuring.md. NaN where nothing was answered.</summary>
/// <param name="Tokens">Generated, of answered requests.</param>
/// <param name="AggregateTokensPerSecond">Tokens / time from the first request to the last token.</param>
internal sealed record LoadSummary(
    int Answered,
    int Failed,
    int Tokens,
    double AggregateTokensPerSecond,
    double DecodeP50,
    double DecodeP5,
    double TimeToFirstTokenP50,
    double TimeToFirstTokenP95,
    double PrefillP50,
    double GapP50Milliseconds,
    double GapP95Milliseconds,
    int CachedTokens,
    ImmutableArray<string> Problems)
{
    private const int MostProblems = 3;

    public static LoadSummary Of(IReadOnlyCollection<RequestTiming> timings)
    {
        var answered = timings.Where(one => one.IsAnswered).ToArray();
        var tokens = answered.Sum(one => one.CompletionTokens);
        var span = answered.Length == 0 ? TimeSpan.Zero : answered.Max(one => one.LastAt!.Value) - timings.Min(one => one.DueAt);
        var gaps = answered.SelectMany(one => one.GapMilliseconds).ToArray();
        return new LoadSummary(
            answered.Length,
            timings.Count - answered.Length,
            tokens,
            span > TimeSpan.Zero ? tokens / span.TotalSeconds : double.NaN,
            Quantiles.Median(Finite(answered.Select(one => one.DecodeTokensPerSecond))),
            Quantiles.Of(Finite(answered.Select(one => one.DecodeTokensPerSecond)), 0.05),
            Quantiles.Median(answered.Select(one => one.TimeToFirstToken.TotalSeconds)),
            Quantiles.Of(answered.Select(one => one.TimeToFirstToken.TotalSeconds), 0.95),
            Quantiles.Median(answered.Where(one => one.PromptTokens is not null).Select(one => (one.PromptTokens!.Value - one.CachedTokens) / one.TimeToFirstToken.TotalSeconds)),
            Quantiles.Median(gaps),
            Quantiles.Of(gaps, 0.95),
            answered.Sum(one => one.CachedTokens),
            [.. timings.Where(one => !one.IsAnswered).GroupBy(one => one.Problem ?? "no text came").OrderByDescending(group => group.Count())
                .Take(MostProblems).Select(group => $"{group.Count()} x {group.Key}")]);
    }

    private static IEnumerable<double> Finite(IEnumerable<double> values) => values.Where(double.IsFinite);
}
