using System.Diagnostics;

namespace ClusterLlm.AppHost.Standalone;

/// <summary>How to start one run of a process.</summary>
/// <param name="Program">Absolute path.</param>
internal sealed record ChildStart(string Program, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment);

/// <summary>One run of a process. Its standard input stays open and empty as long as this process lives: when it closes, the child ends itself.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task _output;

    private ChildProcess(Process process, ProcessLog log)
    {
        _process = process;
        Pid = process.Id;
        _output = Task.WhenAll(CopyAsync(process.StandardOutput, log, isError: false), CopyAsync(process.StandardError, log, isError: true));
    }

    public int Pid { get; }

    /// <exception cref="System.ComponentModel.Win32Exception">The program cannot be started.</exception>
    public static ChildProcess Start(ChildStart start, ProcessLog log)
    {
        var info = new ProcessStartInfo(start.Program, start.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in start.Environment)
        {
            info.Environment[name] = value;
        }

        return new(Process.Start(info)!, log);
    }

    /// <summary>Completes with the exit code when the run is over and what it wrote is in the log.</summary>
    public async Task<int> WaitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);

        // A grandchild may hold the pipes open for ever; what the process itself wrote is there long before.
        await Task.WhenAny(_output, Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, cancellationToken)).ConfigureAwait(false);
        return _process.ExitCode;
    }

    /// <summary>Asks it to end. By one way only: a process that stops already may have put its signal handlers away, and would die of the second.</summary>
    public void AskToEnd()
    {
        if (OperatingSystem.IsWindows())
        {
            _process.StandardInput.Close();
        }
        else
        {
            UnixSignals.SendTerminate(Pid);
        }
    }

    /// <summary>Ends it at once, with everything that it started.</summary>
    public void Kill() => _process.Kill(entireProcessTree: true);

    public void Dispose()
    {
        // What a killed launcher left behind watches this pipe and ends with it.
        _process.StandardInput.Dispose();
        _process.Dispose();
    }

    private static async Task CopyAsync(StreamReader reader, ProcessLog log, bool isError)
    {
        try
        {
            while (await reader.ReadLineAsync(CancellationToken.None).ConfigureAwait(false) is { } line)
            {
                log.Append(line, isError);
            }
        }
        catch (Exception closed) when (closed is IOException or ObjectDisposedException)
        {
            log.Append($"(output ended: {closed.Message})", isError: true);
        }
    }
}
