using System.Collections.Immutable;
using ClusterLlm.Coordinator.Comparisons.Statistics;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Comparisons;

/// <summary>Lengths of a request.</summary>
/// <param name="PromptTokens">Exact, by the model's own tokenizer; ≥ 1.</param>
/// <param name="OutputTokens">Exact: the end token is ignored; ≥ 2, since a decode speed needs two.</param>
internal sealed record Workload(int PromptTokens, int OutputTokens)
{
    public override string ToString() => $"{PromptTokens}+{OutputTokens}";
}

/// <summary>One measured situation.</summary>
/// <param name="Concurrency">Requests that run at once; ≥ 1.</param>
internal sealed record Cell(Workload Workload, int Concurrency)
{
    public override string ToString() => $"{Workload} x{Concurrency}";
}

/// <summary>When enough was measured.</summary>
/// <param name="LeastRounds">Every candidate is measured so often at least; ≥ 2.</param>
/// <param name="MostRounds">And so often at most.</param>
/// <param name="TargetSpread">Half the interval of the deciding ratios at which the rounds end; 0.04 is 4 %.</param>
/// <param name="TimeLimit">No round begins after it.</param>
internal sealed record RepeatRule(int LeastRounds, int MostRounds, double TargetSpread, TimeSpan TimeLimit)
{
    public static RepeatRule Default { get; } = new(5, 12, 0.04, TimeSpan.FromMinutes(30));
}

/// <summary>What a person wants compared.</summary>
/// <param name="Nodes">Only these; empty means all.</param>
/// <param name="Engines">Only these; empty means those that are available, but for the builtin one where another is.</param>
/// <param name="Cells">What is measured; empty means the default ones that the model's context allows.</param>
/// <param name="SmallerModel">Also measured on single nodes: what one gets without a cluster at the price of another model.</param>
/// <param name="Layers">A manual plan as a further candidate; empty means none.</param>
/// <param name="Seed">Of prompts and order.</param>
internal sealed record ComparisonSpec(
    string Model,
    ImmutableArray<string> Nodes,
    ImmutableArray<string> Engines,
    ImmutableArray<Cell> Cells,
    string? SmallerModel,
    ImmutableArray<ManualStage> Layers,
    RepeatRule Repeats,
    int Seed);

/// <summary>What kind of answer a candidate is.</summary>
internal enum CandidateKind
{
    /// <summary>One node holds the whole model.</summary>
    Single,

    /// <summary>Several nodes, as the planner cuts.</summary>
    Cluster,

    /// <summary>As a person cuts.</summary>
    Manual,

    /// <summary>Another model on one node: shown beside the others, never ranked with them.</summary>
    Smaller,
}

/// <summary>One way to run the model.</summary>
/// <param name="Id">Within its comparison, for example <c>c2</c>.</param>
/// <param name="Model">As it was asked for.</param>
/// <param name="Origin">Why it is a candidate.</param>
internal sealed record Candidate(string Id, CandidateKind Kind, string Model, string Engine, ImmutableArray<ManualStage> Stages, string Origin)
{
    public IEnumerable<string> Nodes => Stages.Select(stage => stage.NodeId);

    /// <summary>For people: the nodes in the order of their stages, how many layers each has, and the engine.</summary>
    public string Label => Kind == CandidateKind.Smaller
        ? $"{Model.TrimEnd('/').Split('/')[^1]} on {Stages[0].NodeId} ({Engine})"
        : $"{string.Join(" + ", Nodes)}{(Stages.Length == 1 ? " alone" : $" cut {Cut}")} ({Engine})";

    private string Cut => string.Join(':', Stages.Select(stage => stage.EndLayer - stage.FirstLayer));

    /// <summary>Equal for the same thing in two comparisons.</summary>
    public string Signature =>
        $"{Model}|{Engine}|{string.Join(',', Stages.Select(stage => $"{stage.NodeId}:{stage.FirstLayer}-{stage.EndLayer}"))}";
}

/// <summary>How a candidate did.</summary>
internal enum CandidateState
{
    Waiting,
    Measured,

    /// <summary>It can't run; the reason says why, in bytes where it is memory.</summary>
    Refused,

    /// <summary>It ended in the middle; what was measured of it is shown and not ranked.</summary>
    Incomplete,

    /// <summary>Its greedy answer is not that of the others: however fast, it is not the model.</summary>
    Wrong,
}

/// <summary>What was measured of a candidate in one round at one cell. Definitions: docs/measuring.md.</summary>
/// <param name="AggregateTokensPerSecond">All generated tokens / time from the first request to the last token.</param>
/// <param name="DecodeTokensPerSecond">Median over the requests of (tokens − 1) / (last − first token).</param>
/// <param name="PrefillTokensPerSecond">Median of uncached prompt tokens / time to first token.</param>
/// <param name="TimeToFirstTokenSeconds">Median.</param>
/// <param name="TimeToFirstTokenP95Seconds">95th percentile.</param>
/// <param name="GapP50Milliseconds">Between chunks of one answer, median.</param>
/// <param name="CachedTokens">Prompt tokens that the engine did not compute, all requests together: must be 0.</param>
/// <param name="Problem">Why the sample does not count; <see langword="null"/> when it does.</param>
internal sealed record Sample(
    string CandidateId,
    int Round,
    Cell Cell,
    double AggregateTokensPerSecond,
    double DecodeTokensPerSecond,
    double PrefillTokensPerSecond,
    double TimeToFirstTokenSeconds,
    double TimeToFirstTokenP95Seconds,
    double GapP50Milliseconds,
    double GapP95Milliseconds,
    int Completed,
    int Failed,
    int CachedTokens,
    string? Problem)
{
    public bool Counts => Problem is null;

    /// <summary>Watts of the machines that took part, averaged over the cell; <see langword="null"/> where one of them does not measure, or when the cell was too short for a reading.</summary>
    public double? PowerWatts { get; init; }

    /// <summary>Energy for a generated token, its part of the prompt included.</summary>
    public double? JoulesPerToken => PowerWatts / AggregateTokensPerSecond is { } joules && double.IsFinite(joules) ? joules : null;

    /// <summary>Of the rounds that measured it; <see langword="null"/> when none did.</summary>
    public static double? MedianJoules(IEnumerable<Sample> samples) =>
        samples.Select(sample => sample.JoulesPerToken).OfType<double>().ToArray() is { Length: > 0 } measured ? Quantiles.Median(measured) : null;
}
