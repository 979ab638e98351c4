using System.Collections.Immutable;
using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Dashboard;
using ClusterLlm.AppHost.Demo;
using ClusterLlm.AppHost.Output;
using ClusterLlm.AppHost.Settings;
using ClusterLlm.AppHost.Topology;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.ServiceDefaults.Security;

namespace ClusterLlm.AppHost.Standalone;

/// <summary>Starts the topology's processes itself, keeps them running, and ends them all.</summary>
internal sealed class StandaloneHost : IDisposable
{
    private const long MostLogBytes = 10_000_000;

    private readonly ClusterTopology _topology;
    private readonly AppHostSettings _settings;
    private readonly ConsoleReporter _reporter;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;
    private readonly ImmutableArray<ProcessSupervisor> _supervisors;
    private readonly DashboardHost? _dashboard;
    private SupervisedProcesses? _running;

    public StandaloneHost(ClusterTopology topology, AppHostSettings settings, BuildFacts facts, ConsoleReporter reporter, TimeProvider time)
    {
        _topology = topology;
        _settings = settings;
        _http = new(new LocalKeyHandler(new ClusterHome(settings.Home), new SocketsHttpHandler()));
        _reporter = reporter;
        _time = time;
        Table = new(topology.Processes.Select(process => process.Name));
        var options = new SupervisorOptions();
        var resolver = new LaunchResolver(facts, settings.Home);
        var watch = new RunWatch(resolver, Table, new(_http, options.HealthTimeout), options, time);
        var logs = topology.Processes.ToImmutableDictionary(process => process.Name, process => new ProcessLog(LogPath(process.Name), MostLogBytes));
        _dashboard = settings.Dashboard ? new(topology, settings, facts, Table, logs, () => _running!, reporter, time) : null;
        _supervisors =
        [
            .. topology.Processes.Select(process => new ProcessSupervisor(
                WithTelemetry(process, _dashboard?.Addresses), resolver, Table, logs[process.Name], watch, time)),
        ];
    }

    public ProcessTable Table { get; }

    /// <summary>Runs until <paramref name="stopping"/>, or until the Coordinator cannot be kept running.</summary>
    /// <returns>The exit code: 0 after a stop that was asked for.</returns>
    public async Task<int> RunAsync(CancellationToken stopping)
    {
        var began = _time.GetTimestamp();
        using var background = new CancellationTokenSource();
        var telling = TellAsync(background.Token);
        var running = _running = SupervisedProcesses.Start(_supervisors, _topology);
        var showing = _dashboard?.RunAsync(background.Token) ?? Task.CompletedTask;
        var exitCode = 0;
        try
        {
            await BringUpAsync(began, stopping).ConfigureAwait(false);
            await CoordinatorFailureAsync(stopping).ConfigureAwait(false);
            exitCode = 1;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            _reporter.Line("stopping");
        }
        catch (StartFailedException failure)
        {
            _reporter.Line(failure.Message);
            exitCode = 1;
        }

        await running.StopAsync().ConfigureAwait(false);
        await background.CancelAsync().ConfigureAwait(false);
        await telling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await showing.ConfigureAwait(false);
        return exitCode;
    }

    public void Dispose()
    {
        foreach (var supervisor in _supervisors)
        {
            supervisor.Log.Dispose();
        }

        _running?.Dispose();
        _http.Dispose();
    }

    private async Task BringUpAsync(long began, CancellationToken stopping)
    {
        foreach (var process in _topology.Processes)
        {
            var settled = await Table.WaitForAsync(process.Name, Settled, stopping).ConfigureAwait(false);
            if (settled.State == ProcessState.Failed && process.Name == ClusterTopology.Coordinator)
            {
                throw new StartFailedException("The Coordinator does not run, so nothing can.");
            }
        }

        var url = Table.Current[ClusterTopology.Coordinator].Urls[ClusterTopology.HttpEndpoint];
        var demo = await LaunchDemoAsync(url, stopping).ConfigureAwait(false);
        if (demo is { IsReady: true })
        {
            _reporter.Line("");
            _reporter.Line(Lines.Curl(url, demo.Name, DemoDeployment.Question));
            _reporter.Line("");
        }

        _reporter.Line(Lines.Ready(url, demo is { IsReady: true } ? demo.Name : null, _time.GetElapsedTime(began)));
    }

    private async Task<DeploymentView?> LaunchDemoAsync(string url, CancellationToken stopping)
    {
        var healthy = _topology.Demo?.Nodes.Where(node => Table.Current[node].State == ProcessState.Healthy).ToImmutableArray() ?? [];
        if (_topology.Demo is not { } demo || healthy.Length == 0)
        {
            return null;
        }

        var launcher = new DemoLauncher(new(_http, url), _reporter, _time);
        return await launcher.RunAsync(demo with { Nodes = healthy }, stopping).ConfigureAwait(false);
    }

    private async Task CoordinatorFailureAsync(CancellationToken stopping) =>
        await Table.WaitForAsync(ClusterTopology.Coordinator, snapshot => snapshot.State == ProcessState.Failed, stopping).ConfigureAwait(false);

    private async Task TellAsync(CancellationToken cancellationToken)
    {
        var told = new Dictionary<string, string>();
        await foreach (var snapshot in Table.WatchAsync(cancellationToken).ConfigureAwait(false))
        {
            Record();
            if (Lines.Process(snapshot) is not { } line || told.GetValueOrDefault(snapshot.Name) == line)
            {
                continue;
            }

            told[snapshot.Name] = line;
            _reporter.Line(line);
            if (snapshot.State == ProcessState.Failed)
            {
                TellLastLines(snapshot.Name);
            }
        }
    }

    /// <summary>Kept up to date from the first process on: a host that is killed while it starts leaves children too.</summary>
    private void Record()
    {
        var processes = Table.Current;
        var url = processes[ClusterTopology.Coordinator].Urls.GetValueOrDefault(ClusterTopology.HttpEndpoint) ?? "";
        new RunRecord(Environment.ProcessId, url, [.. processes.Values.Select(process => process.Pid).OfType<int>()]).Write(_settings.Home);
    }

    private void TellLastLines(string name)
    {
        var log = _supervisors.First(supervisor => supervisor.Name == name).Log;
        foreach (var line in log.Last(10))
        {
            _reporter.Line($"  {line.Text}");
        }

        _reporter.Line($"  log: {log.Path}");
    }

    private static ProcessResource WithTelemetry(ProcessResource process, DashboardAddresses? addresses) => addresses is null ? process : process with
    {
        Environment = process.Environment.AddRange(addresses.TelemetryEnvironment(process.Name)
            .Select(entry => KeyValuePair.Create(entry.Key, (SettingValue)entry.Value))),
    };

    private static bool Settled(ProcessSnapshot snapshot) => snapshot.State is ProcessState.Healthy or ProcessState.Failed or ProcessState.Stopped;

    private string LogPath(string name) => Path.Join(_settings.Home, "logs", $"{name}.log");
}

/// <summary>The cluster cannot come up; the message says why in one line.</summary>
internal sealed class StartFailedException(string message) : Exception(message);
