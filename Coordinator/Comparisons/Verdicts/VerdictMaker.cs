using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Comparisons.Verdicts;

/// <summary>From measurements to a plain answer. It never names a winner that the spread does not support. Pure.</summary>
internal static class VerdictMaker
{
    public static Verdict Decide(
        ImmutableArray<CandidateResult> candidates, ImmutableArray<Cell> cells, ImmutableArray<Sample> samples, VerdictRule rule)
    {
        var questions = new Questions(candidates, cells, samples, rule);
        var one = Speed(questions, questions.One, "one request", candidates, rule);
        var many = questions.Many.IsEmpty
            ? Finding.Without(Answer.Nothing, "Only one request at a time was measured.")
            : Speed(questions, questions.Many, $"{questions.Many[0].Concurrency} requests at once", candidates, rule);
        var byCell = Cells(questions, cells, rule);
        return new Verdict(
            VerdictText.Headline(one, many, candidates),
            one,
            many,
            MemoryFinding.Decide(candidates),
            BreakEvens.Find(byCell),
            byCell,
            rule.Confidence);
    }

    private static Finding Speed(
        Questions questions, ImmutableArray<Cell> cells, string subject, ImmutableArray<CandidateResult> candidates, VerdictRule rule)
    {
        var single = questions.Best(questions.Singles, cells);
        var cluster = questions.Best(questions.Clusters, cells);
        if (single is null || cluster is null)
        {
            return VerdictText.OneSided(single, cluster, candidates, subject);
        }

        var ratio = questions.Ratio(cluster, single, cells);
        var clusterWins = questions.BeatsAll(cluster, questions.Singles, cells) && ratio.MeanLog >= Math.Log(1 + rule.LeastGain);
        var singleWins = questions.BeatsAll(single, questions.Clusters, cells) && -ratio.MeanLog >= Math.Log(1 + rule.LeastGain);
        var (winner, other, others) = ratio.MeanLog > 0 ? (cluster, single, questions.Singles) : (single, cluster, questions.Clusters);
        var found = questions.Ratio(winner, other, cells);
        var factor = found.Factor;
        var answer = clusterWins ? Answer.UseCluster
            : singleWins ? Answer.UseSingle
            : factor.High <= 1 + rule.EqualWithin && factor.Low >= 1 / (1 + rule.EqualWithin) ? Answer.NoRealDifference
            : Answer.Undecided;
        return new Finding(
            answer,
            winner.Id,
            other.Id,
            found.Telling,
            answer == Answer.Undecided
                ? VerdictText.Undecided(winner, other, found.Telling, questions.Closest(winner, others, cells), subject)
                : VerdictText.Sentence(answer, winner, other, factor, subject),
            Explanations.Of(candidates, questions, cells, winner, other));
    }

    private static ImmutableArray<CellFinding> Cells(Questions questions, ImmutableArray<Cell> cells, VerdictRule rule)
    {
        var findings = ImmutableArray.CreateBuilder<CellFinding>();
        foreach (var cell in cells)
        {
            if (questions.Best(questions.Singles, [cell]) is { } single && questions.Best(questions.Clusters, [cell]) is { } cluster)
            {
                var ratio = questions.Scores.Ratio(cluster.Id, single.Id, [cell], (1 - rule.Confidence) / 2);
                findings.Add(new CellFinding(cell, cluster.Id, single.Id, ratio.Telling));
            }
        }

        return findings.ToImmutable();
    }
}
