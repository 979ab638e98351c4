namespace ClusterLlm.NodeAgent.Joining;

/// <summary>How long to wait before the next attempt.</summary>
internal static class Backoff
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    /// <param name="failures">Attempts that failed in a row; ≥ 1.</param>
    /// <param name="random">Uniform in [0, 1).</param>
    /// <returns>
    /// Between half and all of min(10 s, 250 ms × 2^(failures − 1)): never at once, and spread, so that all agents of a cluster don't come back at
    /// the same moment.
    /// </returns>
    public static TimeSpan Delay(int failures, double random)
    {
        var exponent = Math.Clamp(failures - 1, 0, 30);
        var ceiling = Math.Min(Longest.TotalMilliseconds, First.TotalMilliseconds * Math.Pow(2, exponent));
        return TimeSpan.FromMilliseconds(ceiling * (0.5 + (random / 2)));
    }
}
