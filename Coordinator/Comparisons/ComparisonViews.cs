using System.Collections.Immutable;
using ClusterLlm.Coordinator.Comparisons.Verdicts;

namespace ClusterLlm.Coordinator.Comparisons;

/// <summary>A comparison in a list.</summary>
/// <param name="Headline">Of the verdict, once there is one.</param>
/// <param name="Report">Where the report is, below the API's address.</param>
internal sealed record ComparisonListItem(
    string Id, DateTimeOffset CreatedAt, ComparisonState State, string? Reason, string Model, string? Headline, int Candidates, bool Artificial, int SlowerThanBefore, RunProgress? Progress, string Report)
{
    public static ComparisonListItem From(ComparisonRecord record) => new(
        record.Id,
        record.CreatedAt,
        record.State,
        record.Reason,
        record.Spec.Model,
        record.Verdict?.Headline,
        record.Candidates.Length,
        record.IsArtificial,
        record.Regressions.Count(one => one.IsSlower),
        record.Progress,
        $"/api/comparisons/{record.Id}/report");
}

/// <summary>What changes while one runs: small enough to be sent after each step.</summary>
internal sealed record ComparisonEvent(
    string Id, ComparisonState State, string? Reason, RunProgress? Progress, ImmutableArray<CandidateProgress> Candidates, Verdict? Verdict, ImmutableArray<string> Notes, string Report)
{
    public static ComparisonEvent From(ComparisonRecord record) => new(
        record.Id,
        record.State,
        record.Reason,
        record.Progress,
        [
            .. record.Candidates.Select(one => new CandidateProgress(
                one.Candidate.Id, one.Candidate.Label, one.State, one.Reason, record.Samples.Where(sample => sample.CandidateId == one.Candidate.Id && sample.Counts).Select(sample => sample.Round).Distinct().Count())),
        ],
        record.Verdict,
        record.Notes,
        $"/api/comparisons/{record.Id}/report");
}

/// <summary>How far a candidate is.</summary>
/// <param name="Rounds">In which something of it was measured that counts.</param>
internal sealed record CandidateProgress(string Id, string Label, CandidateState State, string? Reason, int Rounds);
