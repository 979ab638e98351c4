using System.Diagnostics;
using System.Reflection;
using ClusterLlm.AppHost.Standalone;

namespace ClusterLlm.Integration;

/// <summary>The AppHost as its own process, as a person starts it, with a home folder of its own.</summary>
internal sealed class AppHostProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly LineWriter _output = new();
    private readonly Task _reading;

    private AppHostProcess(Process process, string home)
    {
        _process = process;
        Home = home;
        _reading = Task.WhenAll(CopyAsync(process.StandardOutput), CopyAsync(process.StandardError));
    }

    public static string Program { get; } = Path.ChangeExtension(
        typeof(AppHostProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(entry => entry.Key == "ClusterLlm.AppHost").Value!,
        OperatingSystem.IsWindows() ? ".exe" : null);

    public string Home { get; }

    public int Pid => _process.Id;

    public string Output => _output.ToString();

    /// <summary>Pids of the processes that the host says it runs.</summary>
    public IReadOnlyList<int> Children => RunRecord.TryRead(Home)?.Children ?? [];

    public static string NewHome() => Directory.CreateTempSubdirectory("clusterllm-apphost-").FullName;

    public static AppHostProcess Start(string home, params string[] arguments)
    {
        string[] ports = ["--AppHost:HttpPort=0", "--AppHost:GrpcPort=0", "--AppHost:AgentPort=0", "--AppHost:Dashboard=false"];
        var info = new ProcessStartInfo(Program, [.. ports.Where(port => !arguments.Any(argument => argument.StartsWith(port[..(port.IndexOf('=', StringComparison.Ordinal) + 1)], StringComparison.Ordinal))), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.Environment["CLUSTERLLM_HOME"] = home;
        return new(Process.Start(info)!, home);
    }

    /// <summary>Waits for the line that ends the start.</summary>
    public async Task<string> WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        var ready = _output.WaitForLineAsync("ready");
        var first = await Task.WhenAny(ready, _process.WaitForExitAsync(cancellationToken)).WaitAsync(cancellationToken);
        Assert.True(first == ready, $"The AppHost ended before it was ready:{Environment.NewLine}{Output}");
        return await ready;
    }

    /// <summary>The first line that begins so; fails when the host ends before it.</summary>
    public async Task<string> WaitForLineAsync(string prefix, CancellationToken cancellationToken)
    {
        var line = _output.WaitForLineAsync(prefix);
        var first = await Task.WhenAny(line, _process.WaitForExitAsync(cancellationToken)).WaitAsync(cancellationToken);
        Assert.True(first == line, $"The AppHost ended before it said \"{prefix}\":{Environment.NewLine}{Output}");
        return await line;
    }

    /// <summary>Sends a signal by its name, as a terminal or a service manager does.</summary>
    public void Signal(string name) => Signal(name, Pid);

    public static void Signal(string name, int pid) => Process.Start("kill", [$"-{name}", pid.ToString(System.Globalization.CultureInfo.InvariantCulture)])!.WaitForExit();

    /// <summary>The exit code, once all that it printed is in <see cref="Output"/>.</summary>
    public async Task<int> WaitForExitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        await _reading.WaitAsync(cancellationToken);
        return _process.ExitCode;
    }

    /// <summary>Waits until none of <paramref name="pids"/> runs any more.</summary>
    public static async Task WaitUntilGoneAsync(IEnumerable<int> pids, CancellationToken cancellationToken)
    {
        foreach (var pid in pids)
        {
            if (Find(pid) is { } process)
            {
                using (process)
                {
                    await process.WaitForExitAsync(cancellationToken);
                }
            }
        }
    }

    public static bool IsRunning(int pid)
    {
        using var process = Find(pid);
        return process is { HasExited: false };
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Signal("TERM");
            await _process.WaitForExitAsync();
        }

        await _reading;
        _process.Dispose();
    }

    private static Process? Find(int pid)
    {
        try
        {
            return Process.GetProcessById(pid);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private async Task CopyAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            _output.WriteLine(line);
        }
    }
}
