namespace ClusterLlm.Coordinator.Hosting;

/// <summary>Waiting times between attempts.</summary>
internal static class Backoff
{
    /// <summary>Time to wait before attempt <paramref name="attempt"/> + 1: doubles each time, cut at <paramref name="longest"/>.</summary>
    /// <param name="attempt">Attempts that failed so far; ≥ 1.</param>
    /// <param name="first">Wait after the first failure; &gt; 0.</param>
    /// <param name="jitter">0 to 1: takes off up to a quarter, so that many waiters don't come back at once.</param>
    public static TimeSpan Delay(int attempt, TimeSpan first, TimeSpan longest, double jitter)
    {
        // 2^20 × 1 ms is beyond every limit in use; the cap keeps the power finite.
        var factor = Math.Pow(2, Math.Clamp(attempt - 1, 0, 20));
        var delay = Math.Min(first.TotalMilliseconds * factor, longest.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(delay * (1 - (0.25 * Math.Clamp(jitter, 0, 1))));
    }
}
