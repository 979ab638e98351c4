using System.Diagnostics;
using System.Reflection;
using ClusterLlm.AppHost.Standalone;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.Integration;

/// <summary>The AppHost as its own process, as a person starts it, with a home folder of its own.</summary>
internal sealed class AppHostProcess : IAsyncDisposable
{
    /// <summary>For one line of the start, which may fetch the dashboard; shorter than any test's own limit, so that what the host said instead is told.</summary>
    private static readonly TimeSpan LineLimit = TimeSpan.FromMinutes(4);

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

    public static AppHostProcess Start(string home, params string[] arguments) => Start(home, Program, [], arguments);

    /// <summary>With settings that the processes read too.</summary>
    public static AppHostProcess Start(string home, IReadOnlyDictionary<string, string> environment, params string[] arguments) => Start(home, Program, [], arguments, environment);

    /// <summary>As a person starts it who sets no port, with a single agent and nothing that needs a second one.</summary>
    public static AppHostProcess StartOnDefaultPorts(string home) =>
        StartWith(home, Program, ["--AppHost:Standalone=true", "--AppHost:Dashboard=false", "--AppHost:Agents=1"]);

    /// <summary>By <c>dotnet run --no-build</c>, whose process is the one that is seen here.</summary>
    public static AppHostProcess StartByDotnetRun(string home, params string[] arguments)
    {
        var repository = Path.GetDirectoryName(BuildFacts.Read().SamplesFolder)!;

        // bin/AppHost/release: the SDK writes the configuration in lower case and reads it in any.
        var configuration = Path.GetFileName(Path.GetDirectoryName(Program))!;
        return Start(home, "dotnet", ["run", "--no-build", "-c", configuration, "--project", Path.Join(repository, "AppHost"), "--"], arguments);
    }

    private static AppHostProcess Start(string home, string program, string[] before, string[] arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        string[] standard = ["--AppHost:HttpPort=0", "--AppHost:GrpcPort=0", "--AppHost:AgentPort=0", "--AppHost:Dashboard=false", "--AppHost:Standalone=true"];
        return StartWith(home, program, [.. before, .. standard.Where(setting => !arguments.Any(argument => SameSetting(argument, setting))), .. arguments], environment);
    }

    private static AppHostProcess StartWith(string home, string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var info = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.Environment["CLUSTERLLM_HOME"] = home;
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            info.Environment[name] = value;
        }

        return new(Process.Start(info)!, home);
    }

    /// <summary>Waits for the line that ends the start.</summary>
    public Task<string> WaitUntilReadyAsync(CancellationToken cancellationToken) => WaitForLineAsync("ready", cancellationToken);

    /// <summary>Lines printed so far.</summary>
    public int LineCount => _output.Count;

    /// <summary>The first line that begins so; fails when the host ends before it, or does not come to it.</summary>
    public Task<string> WaitForLineAsync(string prefix, CancellationToken cancellationToken) => WaitForLineAsync(prefix, after: 0, cancellationToken);

    /// <param name="after">Lines at the beginning that do not count.</param>
    public async Task<string> WaitForLineAsync(string prefix, int after, CancellationToken cancellationToken)
    {
        var line = _output.WaitForLineAsync(prefix, after);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var first = await Task.WhenAny(line, _process.WaitForExitAsync(over.Token), Task.Delay(LineLimit, TimeProvider.System, over.Token));
        await over.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
        Assert.True(
            first == line,
            $"The AppHost {(_process.HasExited ? "ended before it" : $"ran for {LineLimit.TotalMinutes:0} min and never")} said \"{prefix}\":{Environment.NewLine}{Output}");
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

    private static bool SameSetting(string argument, string setting) =>
        argument.StartsWith(setting[..(setting.IndexOf('=', StringComparison.Ordinal) + 1)], StringComparison.Ordinal);

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
