namespace ClusterLlm.Coordinator.Placement.Search;

/// <summary>
/// The shortest round of a pipeline with several batches in flight: <c>max(Σ stages + hops, batches × slowest stage)</c>. For a limit on
/// the slowest stage the sum is a shortest path; a tighter limit makes the sum longer and the other term smaller, so the best limit is found
/// by halving, each time jumping to the slowest stage that the path really has.
/// </summary>
internal static class ThroughputSearch
{
    public const double Fine = 1e-7;

    /// <summary>Good enough for a comparison that is shown with three digits.</summary>
    public const double Coarse = 1e-3;

    /// <param name="solve">The shortest sum with no stage slower than the argument; <see langword="null"/> when there is none.</param>
    /// <param name="batches">In flight at once; ≥ 2.</param>
    /// <param name="ceiling">Rounds longer than this are of no interest; infinite for no limit.</param>
    /// <param name="floor">No plan has a faster slowest stage than this, in milliseconds; ≥ 0.</param>
    /// <param name="precision">Relative; how close the limit is narrowed.</param>
    public static CutPlan? Find(Func<double, CutPlan?> solve, int batches, double ceiling, double floor, double precision)
    {
        CutPlan? best = null;
        // A hair below the bound, so that a plan which meets it exactly is still found.
        var low = floor * (1 - 1e-6);
        var high = ceiling / batches;
        var limit = high;
        while (true)
        {
            if (solve(limit) is not { } plan)
            {
                low = limit;
            }
            else
            {
                best = best is null || Round(plan, batches) < Round(best, batches) ? plan : best;
                if (batches * plan.SlowestStage > plan.Milliseconds)
                {
                    // Only a faster slowest stage can help.
                    high = plan.SlowestStage;
                }
                else
                {
                    // Tighter limits only make the sum longer.
                    low = limit;
                }
            }

            if (double.IsPositiveInfinity(low) || high - low <= high * precision)
            {
                return best;
            }

            limit = (low + high) / 2;
        }
    }

    public static double Round(CutPlan plan, int batches) => Math.Max(plan.Milliseconds, batches * plan.SlowestStage);
}
