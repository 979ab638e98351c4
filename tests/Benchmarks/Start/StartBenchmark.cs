using System.Diagnostics;
using System.Globalization;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.Benchmarks.Start;

/// <summary>From <c>dotnet run --no-build</c> to ready, by phases, and what the host costs while nothing happens.</summary>
internal static class StartBenchmark
{
    private const double ReadyLimitSeconds = 15;
    private const double IdleLimitPercent = 1;
    private const double IdleLimitMegabytes = 100;
    private const int DefaultRuns = 3;

    private static readonly TimeSpan InstallLimit = TimeSpan.FromMinutes(6);
    private static readonly TimeSpan StepLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(20);

    /// <summary>Name of a phase and the line that ends it.</summary>
    private static readonly (string Name, string Line)[] Phases =
    [
        ("dotnet run and settings", "ClusterLlm,"),
        ("coordinator healthy", "coordinator  running"),
        ("agents healthy", "node-3       running"),
        ("demo planned", "demo         planned"),
        ("demo ready", "demo         ready"),
        ("ready", "ready"),
        ("dashboard answers", "dashboard    running"),
    ];

    public static async Task<int> RunAsync(BenchmarkOptions options)
    {
        var repository = Path.GetDirectoryName(BuildFacts.Read().SamplesFolder)!;
        var dashboard = Path.GetFullPath(options.Value("dashboard") ?? Path.Join(repository, "artifacts", "dashboard"));
        var runs = int.Parse(options.Value("runs") ?? DefaultRuns.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        var figures = new SortedDictionary<string, double>(StringComparer.Ordinal);
        await InHomeAsync(home => InstallAsync(repository, home, dashboard));
        var starts = new List<TimeSpan[]>();
        for (var run = 0; run < runs; run++)
        {
            await InHomeAsync(async home => starts.Add(await StartAsync(repository, home, dashboard)));
        }

        TellPhases(starts, figures);
        await InHomeAsync(home => IdleAsync(repository, home, "with the dashboard's services", figures, $"--AppHost:DashboardFolder={dashboard}", "--AppHost:DashboardPort=0"));
        await InHomeAsync(home => IdleAsync(repository, home, "with AppHost:Dashboard=false", figures, "--AppHost:Dashboard=false"));
        options.WriteJson(figures);
        return 0;
    }

    /// <summary>Fetches the dashboard where it is missing, and reads everything from the disk once: a person who starts for the first time waits for more than is measured here.</summary>
    private static async Task InstallAsync(string repository, string home, string dashboard)
    {
        await using var host = Start(repository, home, dashboard);
        await host.WhenAsync(Phases[^1].Line, InstallLimit);
        await host.WhenAsync("ready", StepLimit);
    }

    private static async Task<TimeSpan[]> StartAsync(string repository, string home, string dashboard)
    {
        await using var host = Start(repository, home, dashboard);
        var moments = new List<TimeSpan>();
        foreach (var (_, line) in Phases)
        {
            moments.Add(await host.WhenAsync(line, StepLimit));
        }

        return [.. moments];
    }

    private static StartedHost Start(string repository, string home, string dashboard) =>
        StartedHost.Start(repository, home, $"--AppHost:DashboardFolder={dashboard}", "--AppHost:DashboardPort=0");

    private static void TellPhases(List<TimeSpan[]> starts, SortedDictionary<string, double> figures)
    {
        Print($"From dotnet run --no-build, seconds, median of {starts.Count} (fastest to slowest); {Environment.ProcessorCount} cores:");
        for (var phase = 0; phase < Phases.Length; phase++)
        {
            double[] seconds = [.. starts.Select(moments => moments[phase].TotalSeconds).Order()];
            figures[$"start {Phases[phase].Name} s"] = seconds[seconds.Length / 2];
            Print($"  {Phases[phase].Name,-26}{seconds[seconds.Length / 2],6:0.0}  ({seconds[0]:0.0} to {seconds[^1]:0.0})");
        }

        var ready = figures["start ready s"];
        figures["start ready / limit"] = ready / ReadyLimitSeconds;
        Print($"ready after {ready:0.0} s: {ready / ReadyLimitSeconds:0.00} of the limit of {ReadyLimitSeconds:0} s");
    }

    private static async Task IdleAsync(string repository, string home, string how, SortedDictionary<string, double> figures, params string[] settings)
    {
        await using var host = StartedHost.Start(repository, home, settings);
        await host.WhenAsync("ready", StepLimit);
        await Task.Delay(Settling, TimeProvider.System, CancellationToken.None);
        using var process = Process.GetProcessById(host.Pid);
        var (before, began) = (process.TotalProcessorTime, Stopwatch.GetTimestamp());
        await Task.Delay(Idle, TimeProvider.System, CancellationToken.None);
        process.Refresh();
        var percent = (process.TotalProcessorTime - before) / Stopwatch.GetElapsedTime(began) * 100;
        var megabytes = process.WorkingSet64 / 1e6;
        figures[$"idle {how} % of a core"] = percent;
        figures[$"idle {how} MB"] = megabytes;
        figures[$"idle {how} % / limit"] = percent / IdleLimitPercent;
        figures[$"idle {how} MB / limit"] = megabytes / IdleLimitMegabytes;
        Print($"the idle host {how}: {percent:0.00} % of a core (limit {IdleLimitPercent:0} %), {megabytes:0} MB resident (limit {IdleLimitMegabytes:0} MB)");
    }

    private static async Task InHomeAsync(Func<string, Task> work)
    {
        var home = Directory.CreateTempSubdirectory("clusterllm-start-").FullName;
        try
        {
            await work(home);
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
