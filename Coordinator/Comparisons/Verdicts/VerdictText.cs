using System.Collections.Immutable;
using ClusterLlm.Coordinator.Comparisons.Statistics;

namespace ClusterLlm.Coordinator.Comparisons.Verdicts;

/// <summary>The sentences of a verdict. Pure.</summary>
internal static class VerdictText
{
    public static string Sentence(Answer answer, Candidate winner, Candidate other, Interval factor, string subject) => answer switch
    {
        Answer.UseCluster => FormattableString.Invariant($"For {subject} use the cluster, {winner.Label}: {factor} as fast as {other.Label}."),
        Answer.UseSingle => FormattableString.Invariant($"For {subject} use one node, {winner.Label}: {factor} as fast as the cluster {other.Label}."),
        Answer.NoRealDifference => FormattableString.Invariant(
            $"For {subject} there is no real difference: {winner.Label} is {factor} as fast as {other.Label}. One node is simpler."),
        _ => throw new ArgumentOutOfRangeException(nameof(answer), answer, "It compares no two candidates."),
    };

    /// <param name="closest">Of those that the winner must beat, the one from which it is told apart least.</param>
    public static string Undecided(Candidate winner, Candidate other, Interval? factor, (Candidate One, RatioEstimate Ratio) closest, string subject)
    {
        if (factor is null)
        {
            return $"For {subject} too few rounds are complete to say; {winner.Label} was the faster one in what there is.";
        }

        if (closest.Ratio.Telling is not { } least)
        {
            return FormattableString.Invariant(
                $"For {subject} too few rounds of {closest.One.Label} are complete to say; {winner.Label} is {factor} as fast as {other.Label}.");
        }

        // The best one of the other side may be clearly slower, and a noisier one not.
        var doubt = closest.One.Id == other.Id ? "" : FormattableString.Invariant($", and {least} as fast as {closest.One.Label}");
        return FormattableString.Invariant(
            $"For {subject} the spread is too large to say: {winner.Label} is {factor} as fast as {other.Label}{doubt}. Measure more rounds, or see what disturbs.");
    }

    /// <summary>When only one side was measured, or none.</summary>
    public static Finding OneSided(Candidate? single, Candidate? cluster, ImmutableArray<CandidateResult> candidates, string subject)
    {
        if (cluster is not null)
        {
            var singles = candidates.Where(one => one.Candidate.Kind == CandidateKind.Single).ToArray();
            return singles.All(one => one.State == CandidateState.Refused)
                ? new Finding(Answer.OnlyCluster, cluster.Id, null, null, $"Only the cluster can run it: {cluster.Label}. No node can alone.", Reasons(singles))
                : new Finding(Answer.Nothing, cluster.Id, null, null, $"For {subject} there is nothing to compare {cluster.Label} with: no single node was measured to the end.", Reasons(singles));
        }

        var clusters = candidates.Where(one => one.Candidate.Stages.Length > 1).ToArray();
        return single is not null
            ? new Finding(Answer.OnlySingle, single.Id, null, null, $"For {subject} use one node, {single.Label}: no plan over several nodes was measured to the end.", Reasons(clusters))
            : new Finding(Answer.Nothing, null, null, null, $"Nothing was measured for {subject}.", Reasons(candidates));
    }

    public static string Headline(Finding one, Finding many, ImmutableArray<CandidateResult> candidates)
    {
        string Name(string? id) => candidates.FirstOrDefault(each => each.Candidate.Id == id)?.Candidate.Label ?? "nothing";
        if (one.Answer == many.Answer && one.Winner == many.Winner || many.Answer == Answer.Nothing)
        {
            return one.Answer switch
            {
                Answer.UseCluster => $"Use the cluster: {Name(one.Winner)}.",
                Answer.UseSingle or Answer.OnlySingle => $"Use one node: {Name(one.Winner)}.",
                Answer.NoRealDifference => "No real difference between the cluster and one node.",
                Answer.OnlyCluster => $"Only the cluster can run it: {Name(one.Winner)}.",
                Answer.Undecided => "The measurements do not support an answer.",
                _ => one.Sentence,
            };
        }

        return $"One request: {Short(one, Name(one.Winner))}. Many: {Short(many, Name(many.Winner))}.";
    }

    private static string Short(Finding finding, string name) => finding.Answer switch
    {
        Answer.UseCluster => $"use the cluster, {name}",
        Answer.UseSingle or Answer.OnlySingle => $"use one node, {name}",
        Answer.NoRealDifference => "no real difference",
        Answer.OnlyCluster => $"only the cluster can, {name}",
        Answer.Undecided => "not decided by these measurements",
        _ => "not measured",
    };

    private static ImmutableArray<string> Reasons(IEnumerable<CandidateResult> candidates) =>
        [.. candidates.Where(one => one.Reason is not null).Select(one => $"{one.Candidate.Label}: {one.Reason}")];
}
