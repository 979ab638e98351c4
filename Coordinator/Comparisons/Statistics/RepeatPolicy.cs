using System.Collections.Immutable;
using ClusterLlm.Coordinator.Comparisons.Verdicts;

namespace ClusterLlm.Coordinator.Comparisons.Statistics;

/// <summary>Whether another round is worth it. Pure.</summary>
internal static class RepeatPolicy
{
    /// <summary>
    /// Ends when the deciding ratios are known well enough, not when one of them looks like a winner: stopping at the first lucky moment would find winners among
    /// equals. A large difference needs no fine measure: a third of itself is enough.
    /// </summary>
    /// <param name="rounds">Complete ones.</param>
    public static bool IsEnough(ImmutableArray<CandidateResult> candidates, ImmutableArray<Cell> cells, ImmutableArray<Sample> samples, int rounds, RepeatRule rule)
    {
        if (rounds < rule.LeastRounds)
        {
            return false;
        }

        var questions = new Questions(candidates, cells, samples, VerdictRule.Default);
        return rounds >= rule.MostRounds
            || (IsEnough(questions, questions.One, rule) && (questions.Many.IsEmpty || IsEnough(questions, questions.Many, rule)));
    }

    private static bool IsEnough(Questions questions, ImmutableArray<Cell> cells, RepeatRule rule)
    {
        if (questions.Best(questions.Singles, cells) is not { } single || questions.Best(questions.Clusters, cells) is not { } cluster)
        {
            return true;
        }

        // A claim is that one beats every candidate of the other side, not only the best of them.
        var (leader, others) = questions.Scores.Mean(cluster.Id, cells) > questions.Scores.Mean(single.Id, cells) ? (cluster, questions.Singles) : (single, questions.Clusters);
        return others.Select(other => questions.Ratio(leader, other, cells)).All(ratio => ratio.Count == 0 || ratio.HalfWidth <= Math.Max(rule.TargetSpread, Math.Abs(ratio.MeanLog) / 3));
    }
}
