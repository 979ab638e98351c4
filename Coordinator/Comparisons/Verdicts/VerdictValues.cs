using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Comparisons.Verdicts;

/// <summary>The plain answer to a question.</summary>
internal enum Answer
{
    /// <summary>One node alone does it best.</summary>
    UseSingle,
    UseCluster,

    /// <summary>Both are as good as measuring can tell, or so nearly that it does not matter.</summary>
    NoRealDifference,

    /// <summary>The spread is too large to say.</summary>
    Undecided,

    /// <summary>No node can hold the model alone.</summary>
    OnlyCluster,

    /// <summary>No plan over several nodes ran.</summary>
    OnlySingle,

    /// <summary>Nothing was measured.</summary>
    Nothing,
}

/// <summary>A question with its answer.</summary>
/// <param name="Winner">Candidate id; of the side that is better, or of the better one where there is no real difference.</param>
/// <param name="Against">The best candidate of the other side.</param>
/// <param name="Factor">Winner / other; its interval holds for all claims of the comparison together; <see langword="null"/> when there are too few rounds for one that says something.</param>
/// <param name="Sentence">For people.</param>
/// <param name="Why">What the prediction says of the difference, and other things worth knowing.</param>
internal sealed record Finding(Answer Answer, string? Winner, string? Against, Interval? Factor, string Sentence, ImmutableArray<string> Why)
{
    public static Finding Without(Answer answer, string sentence) => new(answer, null, null, null, sentence, []);
}

/// <summary>The best cluster against the best node at one cell.</summary>
/// <param name="Factor">Cluster / node; 95 % for this cell by itself. <see langword="null"/> with too few common rounds for an interval that says something.</param>
internal sealed record CellFinding(Cell Cell, string Cluster, string Single, Interval? Factor);

/// <summary>From how many requests on the cluster is better.</summary>
/// <param name="Concurrency">Interpolated between measured ones; <see langword="null"/> when there is no such point among them.</param>
internal sealed record BreakEven(double? Concurrency, string Sentence);

/// <summary>Is the cluster faster than one of its nodes, for whom, and by how much.</summary>
/// <param name="Confidence">Chance that no claim in it is wrong by accident of measuring.</param>
internal sealed record Verdict(
    string Headline, Finding OneRequest, Finding ManyRequests, Finding Memory, BreakEven? BreakEven, ImmutableArray<CellFinding> Cells, double Confidence);

/// <summary>What a verdict may claim.</summary>
/// <param name="Confidence">For all claims of a comparison together.</param>
/// <param name="LeastGain">A smaller difference is no reason to choose, however certain; 0.03 is 3 %.</param>
/// <param name="EqualWithin">An interval inside is called no real difference; wider ones are undecided.</param>
internal sealed record VerdictRule(double Confidence, double LeastGain, double EqualWithin)
{
    public static VerdictRule Default { get; } = new(0.95, 0.03, 0.10);
}
