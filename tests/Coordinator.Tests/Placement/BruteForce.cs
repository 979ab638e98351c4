using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Coordinator.Placement.Search;

namespace ClusterLlm.Coordinator.Tests.Placement;

/// <summary>Every subset, order and cut, one after the other: what the exact search must equal.</summary>
internal static class BruteForce
{
    public static IEnumerable<Cut[]> Plans(CutProblem problem) => Extend(problem, [], 0);

    /// <summary>Sum of stages and hops, in milliseconds.</summary>
    public static double Step(CutProblem problem, Cut[] plan) =>
        plan.Sum(cut => problem.StageTime(cut.Node, cut.First, cut.End))
        + Enumerable.Range(1, plan.Length - 1).Sum(index => problem.Hop[plan[index - 1].Node, plan[index].Node]);

    public static double Slowest(CutProblem problem, Cut[] plan) => plan.Max(cut => problem.StageTime(cut.Node, cut.First, cut.End));

    public static double BestStep(CutProblem problem) => Plans(problem).Select(plan => Step(problem, plan)).DefaultIfEmpty(double.PositiveInfinity).Min();

    /// <summary>The best throughput score (milliseconds per token) over one batch and over batches in flight.</summary>
    public static double BestThroughput(ProblemBuilder builder, PlacementRequest request, int machines)
    {
        var whole = builder.Build(request.ContextTokens, request.Concurrency);
        var best = BestStep(whole);
        if (request.Concurrency > 1 && machines > 1)
        {
            foreach (var plan in Plans(whole).Where(plan => plan.Length > 1))
            {
                var batches = Math.Max(2, Math.Min(Math.Min(plan.Length, machines), request.Concurrency));
                var part = builder.Build(request.ContextTokens, (request.Concurrency + batches - 1) / batches);
                best = Math.Min(best, Math.Max(Step(part, plan), batches * Slowest(part, plan)));
            }
        }

        return best / request.Concurrency;
    }

    public static bool Fits(CutProblem problem) => Plans(problem).Any();

    private static IEnumerable<Cut[]> Extend(CutProblem problem, Cut[] plan, int placed)
    {
        if (placed == problem.LayerCount)
        {
            if (Enumerable.Range(0, problem.NodeCount).All(node => !problem.IsRequired[node] || plan.Any(cut => cut.Node == node)))
            {
                yield return plan;
            }

            yield break;
        }

        foreach (var node in Enumerable.Range(0, problem.NodeCount).Where(node => plan.All(cut => cut.Node != node)))
        {
            for (var end = placed + 1; end <= problem.LayerCount; end++)
            {
                if (problem.Allows(node, placed, end))
                {
                    foreach (var full in Extend(problem, [.. plan, new Cut(node, placed, end)], end))
                    {
                        yield return full;
                    }
                }
            }
        }
    }
}
