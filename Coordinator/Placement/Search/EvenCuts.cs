namespace ClusterLlm.Coordinator.Placement.Search;

/// <summary>
/// Among cuts of one order that take equally long for one request, those with the shortest slowest stage. On equal nodes every cut has the same
/// sum: an even one serves more requests at once and leaves each node the same memory.
/// </summary>
internal sealed class EvenCuts(CutProblem problem)
{
    /// <summary>Relative; sums of the same parts in another order differ by rounding.</summary>
    private const double SameSum = 1e-9;

    /// <summary>Relative; less than one layer of any model.</summary>
    private const double Precision = 1e-4;

    private readonly OrderedCuts _cuts = new(problem);

    /// <returns>A plan with the same nodes in the same order and the same sum.</returns>
    public CutPlan Of(CutPlan plan)
    {
        int[] order = [.. plan.Cuts.Select(cut => cut.Node)];
        var even = plan;
        var low = plan.Cuts.Sum(cut => problem.StageTime(cut.Node, cut.First, cut.End)) / order.Length * (1 - Precision);
        while (even.SlowestStage - low > even.SlowestStage * Precision)
        {
            var limit = (low + even.SlowestStage) / 2;
            if (_cuts.Find(order, limit) is { } found && found.Milliseconds <= plan.Milliseconds * (1 + SameSum))
            {
                even = found with { Milliseconds = plan.Milliseconds };
            }
            else
            {
                low = limit;
            }
        }

        return even;
    }
}
