using System.ComponentModel;
using System.Diagnostics;

namespace ClusterLlm.NodeAgent.Hardware;

/// <summary>Runs programs with a time limit: a fact that a program does not give is missing, and nothing worse.</summary>
internal sealed partial class CommandRunner(TimeProvider time, ILogger<CommandRunner> logger) : ICommandRunner
{
    /// <summary>system_profiler takes 2 to 3 s on a Mac with many displays; what takes longer hangs.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    public async ValueTask<string?> RunAsync(string path, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        using var process = new Process { StartInfo = StartInfo(path, arguments) };
        try
        {
            process.Start();
        }
        catch (Win32Exception error)
        {
            LogMissing(path, error.Message);
            return null;
        }

        try
        {
            // Both are read while it runs: a full pipe would stop the program.
            var errors = process.StandardError.ReadToEndAsync(either.Token);
            var output = await process.StandardOutput.ReadToEndAsync(either.Token).ConfigureAwait(false);
            await process.WaitForExitAsync(either.Token).ConfigureAwait(false);
            if (process.ExitCode == 0)
            {
                return output;
            }

            var told = await errors.ConfigureAwait(false);
            LogFailed(path, process.ExitCode, told);
            return null;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
            LogTooSlow(path, Limit.TotalSeconds);
            return null;
        }
    }

    private static ProcessStartInfo StartInfo(string path, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };

        // Numbers are printed with the comma of the person's locale otherwise.
        start.Environment["LC_ALL"] = "C";
        return start;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Path} can't be run: {Error}")]
    private partial void LogMissing(string path, string error);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Path} ended with exit code {ExitCode}: {Errors}")]
    private partial void LogFailed(string path, int exitCode, string errors);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Path} did not end within {Seconds} s; what it would have told is left out")]
    private partial void LogTooSlow(string path, double seconds);
}
