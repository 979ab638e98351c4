using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Comparisons.Verdicts;

/// <summary>What the cluster brings in memory: whether the model fits at all, and how long a context does. Pure.</summary>
internal static class MemoryFinding
{
    public static Finding Decide(ImmutableArray<CandidateResult> candidates)
    {
        var ran = candidates.Where(one => one.IsRanked).ToArray();
        var single = ran.Where(one => one.Candidate.Stages.Length == 1).MaxBy(one => one.LongestContextTokens);
        var cluster = ran.Where(one => one.Candidate.Stages.Length > 1).MaxBy(one => one.LongestContextTokens);
        if (cluster is null)
        {
            return single is null
                ? Finding.Without(Answer.Nothing, "Nothing ran, so memory can't be compared.")
                : new Finding(Answer.OnlySingle, single.Candidate.Id, null, null, $"It fits on one node, {single.Candidate.Label}.", [Peak(single)]);
        }

        if (single is null)
        {
            var refused = candidates.Where(one => one.Candidate.Kind == CandidateKind.Single).ToArray();
            return refused.Length > 0 && refused.All(one => one.State == CandidateState.Refused)
                ? new Finding(Answer.OnlyCluster, cluster.Candidate.Id, null, null, $"Only together do the nodes hold it: {cluster.Candidate.Label}.", [Peak(cluster)])
                : new Finding(Answer.Nothing, cluster.Candidate.Id, null, null, "No single node was measured, so memory can't be compared.", [Peak(cluster)]);
        }

        var (most, alone) = (cluster.LongestContextTokens, single.LongestContextTokens);
        ImmutableArray<string> why = [Peak(single), Peak(cluster)];
        return most > alone && alone > 0
            ? new Finding(
                Answer.UseCluster,
                cluster.Candidate.Id,
                single.Candidate.Id,
                null,
                FormattableString.Invariant($"For long contexts use the cluster: by prediction {most} tokens for each request on {cluster.Candidate.Label}, {alone} on {single.Candidate.Label}."),
                why)
            : new Finding(
                Answer.NoRealDifference,
                single.Candidate.Id,
                cluster.Candidate.Id,
                null,
                FormattableString.Invariant($"One node holds it with as long a context ({alone} tokens by prediction); the cluster leaves more memory free on each."),
                why);
    }

    private static string Peak(CandidateResult one)
    {
        var parts = one.NodeUse.Where(use => use.IsPart).Select(use => $"{use.Node} {MemoryRefusal.Gigabytes(use.PeakEngineBytes)}");
        return one.NodeUse.IsDefaultOrEmpty ? $"{one.Candidate.Label}: no reading of memory came." : $"{one.Candidate.Label}: it held at most {string.Join(", ", parts)}.";
    }
}
