using System.Collections.Immutable;
using ClusterLlm.Coordinator.Comparisons.Statistics;

namespace ClusterLlm.Coordinator.Comparisons.Verdicts;

/// <summary>The two sides of a comparison, and what is asked about them. Pure.</summary>
internal sealed class Questions
{
    private readonly VerdictRule _rule;

    public Questions(IEnumerable<CandidateResult> candidates, IEnumerable<Cell> cells, IEnumerable<Sample> samples, VerdictRule rule)
    {
        _rule = rule;
        Scores = new Scores(samples);
        var ranked = candidates.Where(one => one.IsRanked).Select(one => one.Candidate).ToArray();
        Singles = [.. ranked.Where(one => one.Stages.Length == 1)];
        Clusters = [.. ranked.Where(one => one.Stages.Length > 1)];
        ImmutableArray<Cell> all = [.. cells];
        One = [.. all.Where(cell => cell.Concurrency == 1)];
        var most = all.IsEmpty ? 1 : all.Max(cell => cell.Concurrency);
        Many = most == 1 ? [] : [.. all.Where(cell => cell.Concurrency == most)];
    }

    public Scores Scores { get; }

    public ImmutableArray<Candidate> Singles { get; }

    public ImmutableArray<Candidate> Clusters { get; }

    /// <summary>Cells with one request.</summary>
    public ImmutableArray<Cell> One { get; }

    /// <summary>Cells with the most requests at once; empty when only one was measured.</summary>
    public ImmutableArray<Cell> Many { get; }

    /// <summary>
    /// Chance of error on each side of each interval. A claim is "this cluster beats every node" or "this node beats every cluster", for each of the questions: so many can
    /// go wrong, and together they may with 1 − confidence (Bonferroni). To beat every other needs no correction of its own: the weakest pair decides.
    /// </summary>
    public double Tail => (1 - _rule.Confidence) / ((Many.IsEmpty ? 1 : 2) * Math.Max(1, Singles.Length + Clusters.Length));

    /// <summary>The fastest by its mean; ties go to the one that comes first.</summary>
    public Candidate? Best(ImmutableArray<Candidate> side, ImmutableArray<Cell> cells) => side
        .Where(one => double.IsFinite(Scores.Mean(one.Id, cells)))
        .OrderByDescending(one => Scores.Mean(one.Id, cells))
        .FirstOrDefault();

    public RatioEstimate Ratio(Candidate one, Candidate other, ImmutableArray<Cell> cells) => Scores.Ratio(one.Id, other.Id, cells, Tail);

    /// <summary>Of the others, the one against which the interval reaches lowest.</summary>
    public (Candidate One, RatioEstimate Ratio) Closest(Candidate one, ImmutableArray<Candidate> others, ImmutableArray<Cell> cells) =>
        others.Select(other => (One: other, Ratio: Ratio(one, other, cells))).MinBy(pair => pair.Ratio.Factor.Low);

    /// <summary>Whether the interval against each of the others lies above 1.</summary>
    public bool BeatsAll(Candidate one, ImmutableArray<Candidate> others, ImmutableArray<Cell> cells) =>
        others.All(other => Ratio(one, other, cells).IsAbove);
}
