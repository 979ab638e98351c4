namespace ClusterLlm.AppHost.Standalone;

/// <summary>Decides whether and when a process that ended unasked is started again.</summary>
internal static class RestartPolicy
{
    /// <summary>Starts in a row that did not last, after which it is left alone.</summary>
    public const int MostAttempts = 5;

    /// <summary>A run that lasted this long was a success: counting starts again.</summary>
    public static TimeSpan LastingRun { get; } = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <param name="failuresInARow">Runs that ended unasked before this one without one that lasted; ≥ 0.</param>
    /// <param name="firstPause">Doubled with each failure after the first.</param>
    /// <param name="lastedFor">How long the run that ended now had been up.</param>
    public static RestartDecision Decide(int failuresInARow, TimeSpan lastedFor, TimeSpan firstPause)
    {
        var failures = lastedFor >= LastingRun ? 1 : failuresInARow + 1;
        if (failures > MostAttempts)
        {
            return new(failures, Pause: null);
        }

        var pause = firstPause * Math.Pow(2, failures - 1);
        return new(failures, pause < LongestPause ? pause : LongestPause);
    }
}

/// <param name="FailuresInARow">To hand in at the next decision.</param>
/// <param name="Pause">Before the next start; null: no further start.</param>
internal readonly record struct RestartDecision(int FailuresInARow, TimeSpan? Pause);
