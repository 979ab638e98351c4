using System.ComponentModel;
using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Output;
using ClusterLlm.AppHost.Settings;
using ClusterLlm.AppHost.Standalone;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.AppHost.Dashboard;

/// <summary>Shows the cluster of the standalone host in the real Aspire dashboard. Whatever fails here is one line, and the cluster runs on.</summary>
internal sealed class DashboardHost(
    ClusterTopology topology,
    AppHostSettings settings,
    BuildFacts facts,
    ProcessTable table,
    IReadOnlyDictionary<string, ProcessLog> logs,
    Func<SupervisedProcesses> processes,
    ConsoleReporter reporter,
    TimeProvider time)
{
    private const long MostLogBytes = 5_000_000;

    /// <summary>
    /// The dashboard knows no parent to watch. So a shell starts it, holds this host's pipe, and ends it when the pipe closes: also when this host is killed.
    /// </summary>
    private const string HoldingShell = """
        exec 3<&0
        "$0" dashboard </dev/null & child=$!
        trap 'kill "$child" 2>/dev/null' TERM INT
        (cat <&3 >/dev/null; kill "$child" 2>/dev/null) & holder=$!
        wait "$child"; code=$?
        while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
        kill "$holder" 2>/dev/null
        exit "$code"
        """;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    public DashboardAddresses Addresses { get; } = DashboardAddresses.Choose(settings.DashboardPort);

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        var cluster = new ClusterWatcher(() => Connect(http), time);
        var feed = new ResourceFeed(topology, facts, table, cluster, Addresses, time);
        try
        {
            await using var server = ResourceServer.Build(Addresses, feed, logs, new(feed, new(() => Connect(http), time), cluster, processes));
            await server.StartAsync(stopping).ConfigureAwait(false);
            var following = Task.WhenAll(cluster.RunAsync(stopping), feed.RunAsync(stopping));
            await RunDashboardAsync(http, stopping).ConfigureAwait(false);
            await following.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return;
        }
        catch (Exception failure) when (failure is DashboardUnavailableException or IOException or Win32Exception)
        {
            reporter.Line(Lines.Row("dashboard", "missing", $"{failure.Message} The cluster runs on without it."));
        }
    }

    private ClusterClient? Connect(HttpClient http) =>
        table.Current[ClusterTopology.Coordinator].Urls.TryGetValue(ClusterTopology.HttpEndpoint, out var url) ? new(http, url) : null;

    private async Task RunDashboardAsync(HttpClient http, CancellationToken stopping)
    {
        var installer = new DashboardInstaller(settings.DashboardFolder ?? Path.Join(settings.Home, "dashboard"), time);
        var program = await installer.EnsureAsync(text => reporter.Line(Lines.Row("dashboard", "installing", text)), stopping).ConfigureAwait(false);
        using var log = new ProcessLog(Path.Join(settings.Home, "logs", "dashboard.log"), MostLogBytes);
        var failures = 0;
        while (true)
        {
            var began = time.GetTimestamp();
            var code = await RunOnceAsync(program, log, http, stopping).ConfigureAwait(false);
            var decision = RestartPolicy.Decide(failures, time.GetElapsedTime(began), FirstPause);
            failures = decision.FailuresInARow;
            if (decision.Pause is not { } pause)
            {
                var last = log.Last(1) is [var line] ? $" Its last words: {line.Text.Trim()}" : "";
                throw new DashboardUnavailableException($"It ended with exit code {code}, {failures} times in a row.{last} See {log.Path}.");
            }

            await Task.Delay(pause, time, stopping).ConfigureAwait(false);
        }
    }

    private async Task<int> RunOnceAsync(string program, ProcessLog log, HttpClient http, CancellationToken stopping)
    {
        using var child = ChildProcess.Start(new("/bin/sh", ["-c", HoldingShell, program], Addresses.DashboardEnvironment()), log);
        var exit = child.WaitAsync(CancellationToken.None);
        try
        {
            if (await IsUpAsync(http, exit, stopping).ConfigureAwait(false))
            {
                reporter.Line(Lines.Row("dashboard", "running", Addresses.LoginUrl));
            }

            return await exit.WaitAsync(stopping).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            child.AskToEnd();
            await Task.WhenAny(exit, Task.Delay(StopGrace, time, CancellationToken.None)).ConfigureAwait(false);
            if (!exit.IsCompleted)
            {
                child.Kill();
            }

            throw;
        }
    }

    /// <summary>Whether its page answers before it ends or the time is up.</summary>
    private async Task<bool> IsUpAsync(HttpClient http, Task exit, CancellationToken stopping)
    {
        var began = time.GetTimestamp();
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(200), time);
        while (!exit.IsCompleted && time.GetElapsedTime(began) < StartLimit && await pause.WaitForNextTickAsync(stopping).ConfigureAwait(false))
        {
            try
            {
                using var answer = await http.GetAsync(new Uri(Addresses.FrontendUrl + "/login"), stopping).ConfigureAwait(false);
                return true;
            }
            catch (HttpRequestException)
            {
                // Not listening yet: the next tick asks again.
                continue;
            }
        }

        return false;
    }
}
