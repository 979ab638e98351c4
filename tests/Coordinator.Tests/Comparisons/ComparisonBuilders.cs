using System.Collections.Immutable;
using ClusterLlm.Coordinator.Comparisons;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Tests.Comparisons;

/// <summary>Candidates and samples for tests.</summary>
internal static class ComparisonBuilders
{
    public static Workload Chat { get; } = new(128, 64);

    public static Cell At(int concurrency) => new(Chat, concurrency);

    public static CandidateResult Single(string id, string node, CandidateState state = CandidateState.Measured) =>
        Result(new Candidate(id, CandidateKind.Single, "m", "builtin", [new ManualStage(node, 0, 8)], "test"), state);

    public static CandidateResult Cluster(string id, CandidateState state, params string[] nodes) => Result(
        new Candidate(id, CandidateKind.Cluster, "m", "builtin", [.. nodes.Select((node, index) => new ManualStage(node, 8 * index / nodes.Length, 8 * (index + 1) / nodes.Length))], "test"), state);

    public static Sample Sample(string id, int round, Cell cell, double tokensPerSecond, string? problem = null) =>
        new(id, round, cell, tokensPerSecond, tokensPerSecond, 100, 0.1, 0.1, 10, 10, cell.Concurrency, 0, 0, problem);

    /// <summary>Rounds of a candidate at one cell, with a small regular spread.</summary>
    public static IEnumerable<Sample> Rounds(string id, Cell cell, double tokensPerSecond, int rounds = 6) =>
        Enumerable.Range(0, rounds).Select(round => Sample(id, round, cell, tokensPerSecond * (1 + (0.004 * ((round % 3) - 1)))));

    public static ComparisonRecord Record(string id, DateTimeOffset at, ImmutableArray<CandidateResult> candidates, IEnumerable<Sample> samples)
    {
        ImmutableArray<Sample> all = [.. samples];
        return new ComparisonRecord(
            id,
            at,
            new ComparisonSpec("m", [], [], [], null, [], RepeatRule.Default, 1),
            ComparisonState.Completed,
            null,
            at,
            at.AddMinutes(5),
            new ModelSummary("m", "4-bit", 8, 8_000_000, 7_000_000, 2048, "f1", "test"),
            [.. candidates.SelectMany(one => one.Candidate.Nodes).Distinct().Select(node => new MachineSummary(node, "Apple M4 Pro", 20, 14, 64L << 30, 48L << 30, "macOS 26", "0.1", ImmutableSortedDictionary<string, string>.Empty, null))],
            candidates,
            [.. all.Select(sample => sample.Cell).Distinct()],
            all,
            null,
            null,
            [],
            []);
    }

    private static CandidateResult Result(Candidate candidate, CandidateState state) => new(
        candidate,
        state,
        state == CandidateState.Measured ? null : "a reason",
        [.. candidate.Stages.Select((stage, index) => new PlacementStage(stage.NodeId, candidate.Stages.Length - 1 - index, stage.FirstLayer, stage.EndLayer - stage.FirstLayer, 1000, 10, 10))],
        "1.0",
        [],
        4096,
        "answer",
        null,
        []);
}
