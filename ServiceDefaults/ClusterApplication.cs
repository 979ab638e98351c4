using Microsoft.AspNetCore.Builder;

namespace ClusterLlm.ServiceDefaults;

/// <summary>Runs a process so that a failed start is one line and an exit code.</summary>
public static class ClusterApplication
{
    /// <summary>Runs <paramref name="app"/> until it is asked to stop.</summary>
    /// <returns>0 after a clean stop; 2 when settings are not valid; 3 when an address can't be listened on. Other failures are thrown.</returns>
    public static Task<int> RunAsync(WebApplication app) => RunAsync(app, Console.Error);

    /// <summary>Builds and runs an application; Kestrel reads its options, and so the settings, while it is built.</summary>
    /// <returns>As <see cref="RunAsync(WebApplication)"/>.</returns>
    public static Task<int> RunAsync(Func<WebApplication> build) => RunAsync(build, Console.Error);

    internal static Task<int> RunAsync(WebApplication app, TextWriter errors) => RunAsync(() => app, errors);

    private static async Task<int> RunAsync(Func<WebApplication> build, TextWriter errors)
    {
        var stopping = CancellationToken.None;
        try
        {
            var app = build();
            stopping = app.Lifetime.ApplicationStopping;
            await app.RunAsync();
            return 0;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Asked to stop while it still started: the start was cancelled, and that is a clean stop too.
            return 0;
        }
        catch (Exception failure) when (StartFailures.Explain(failure) is { } known)
        {
            // The logger may be gone with the host, and its lines are for operators; this one is for the person who started the process.
            await errors.WriteLineAsync(CalmConsoleFormatter.OneLine(known.Message));
            return known.ExitCode;
        }
    }
}
