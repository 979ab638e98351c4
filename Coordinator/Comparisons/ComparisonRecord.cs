using System.Collections.Immutable;
using ClusterLlm.Coordinator.Comparisons.Verdicts;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Comparisons;

/// <summary>How far a comparison is.</summary>
internal enum ComparisonState
{
    Queued,
    Running,
    Completed,

    /// <summary>Nothing could be compared; the reason says why.</summary>
    Failed,

    /// <summary>A person ended it; what was measured stays.</summary>
    Cancelled,

    /// <summary>The Coordinator ended in the middle of it.</summary>
    Interrupted,
}

/// <summary>A comparison with all that was found: what is stored, exported and reported.</summary>
/// <param name="Machines">Nodes of the cluster at its start, in order of their ids.</param>
/// <param name="Notes">What a reader must know of the run: disturbances, limits, what was left out.</param>
internal sealed record ComparisonRecord(
    string Id,
    DateTimeOffset CreatedAt,
    ComparisonSpec Spec,
    ComparisonState State,
    string? Reason,
    DateTimeOffset? StartedAt,
    DateTimeOffset? EndedAt,
    ModelSummary? Model,
    ImmutableArray<MachineSummary> Machines,
    ImmutableArray<CandidateResult> Candidates,
    ImmutableArray<Cell> Cells,
    ImmutableArray<Sample> Samples,
    RunProgress? Progress,
    Verdict? Verdict,
    ImmutableArray<Regression> Regressions,
    ImmutableArray<string> Notes)
{
    public bool IsOver => State is not (ComparisonState.Queued or ComparisonState.Running);

    public CandidateResult? Find(string candidateId) => Candidates.FirstOrDefault(one => one.Candidate.Id == candidateId);

    /// <summary>Some node was slowed down on purpose: what is shown of it must say so.</summary>
    public bool IsArtificial => Machines.Any(machine => machine.ArtificialLimits is not null);

    public ComparisonRecord With(CandidateResult result) => this with
    {
        Candidates = [.. Candidates.Select(one => one.Candidate.Id == result.Candidate.Id ? result : one)],
    };
}

/// <summary>The model that was compared.</summary>
/// <param name="ActiveBytes">Weights that a token reads.</param>
internal sealed record ModelSummary(string Id, string Format, int Layers, long TotalBytes, long ActiveBytes, int ContextTokens, string Fingerprint, string PromptSource);

/// <summary>A machine as it was.</summary>
internal sealed record MachineSummary(
    string Node,
    string Chip,
    int GpuCores,
    int CpuCores,
    long MemoryBytes,
    long UsableBytes,
    string OperatingSystem,
    string AgentVersion,
    ImmutableSortedDictionary<string, string> Engines,
    string? ArtificialLimits);

/// <summary>What became of a candidate.</summary>
/// <param name="Stages">With bytes; empty when it was refused.</param>
/// <param name="EngineVersion">On its first node.</param>
/// <param name="Predictions">Made before it was measured, by cell.</param>
/// <param name="LongestContextTokens">Predicted: what the same cuts could hold at the largest measured concurrency; 0 when unknown.</param>
/// <param name="Answer">What it says in greedy mode to the fixed prompt.</param>
/// <param name="AnswerCheck">How that compares with the others.</param>
internal sealed record CandidateResult(
    Candidate Candidate,
    CandidateState State,
    string? Reason,
    ImmutableArray<PlacementStage> Stages,
    string EngineVersion,
    ImmutableArray<CellPrediction> Predictions,
    int LongestContextTokens,
    string? Answer,
    string? AnswerCheck,
    ImmutableArray<NodeUse> NodeUse)
{
    /// <summary>Compared with others: measured, right, and of the asked model.</summary>
    public bool IsRanked => State == CandidateState.Measured && Candidate.Kind != CandidateKind.Smaller;
}

/// <summary>What was expected of a candidate at a cell.</summary>
/// <param name="StepParts">Where the time of one token goes, in milliseconds.</param>
internal sealed record CellPrediction(
    Cell Cell,
    Predicted AggregateTokensPerSecond,
    Predicted DecodeTokensPerSecond,
    Predicted PrefillTokensPerSecond,
    Predicted TimeToFirstTokenSeconds,
    ImmutableSortedDictionary<string, double> StepParts,
    string Source);

/// <summary>A value with its 80 % band.</summary>
internal sealed record Predicted(double Value, double Low, double High);

/// <summary>What a node reported while a candidate ran.</summary>
/// <param name="PeakEngineBytes">Weights, caches and buffers of the candidate on it.</param>
/// <param name="WorstPressure"><c>normal</c>, <c>warning</c>, <c>critical</c> or <c>unknown</c>.</param>
/// <param name="WorstThermal"><c>nominal</c>, <c>fair</c>, <c>serious</c>, <c>critical</c> or <c>unknown</c>.</param>
/// <param name="IsPart">It held layers of the candidate; else it should have been idle.</param>
internal sealed record NodeUse(string Node, bool IsPart, long PeakEngineBytes, string WorstPressure, string WorstThermal, double? HighestCelsius);

/// <summary>How far a run is, for people who wait.</summary>
/// <param name="Done">Visits of candidates so far.</param>
/// <param name="AtMost">Visits when every round is needed.</param>
/// <param name="SecondsLeftAtMost">From the pace so far; <see langword="null"/> before there is one.</param>
internal sealed record RunProgress(string Phase, int Round, int Done, int AtMost, double? SecondsLeftAtMost);

/// <summary>A candidate at a cell, against an earlier comparison of the same.</summary>
/// <param name="Factor">Now / then.</param>
internal sealed record Regression(string Candidate, Cell Cell, string EarlierId, DateTimeOffset EarlierAt, Interval Factor, bool IsSlower, string Sentence);

/// <summary>An estimate with what it may as well be.</summary>
internal sealed record Interval(double Value, double Low, double High)
{
    public override string ToString() => FormattableString.Invariant($"x{Value:0.00} ({Low:0.00} to {High:0.00})");
}
