using System.ComponentModel;
using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Output;
using ClusterLlm.AppHost.Settings;
using ClusterLlm.AppHost.Standalone;
using ClusterLlm.AppHost.Topology;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.ServiceDefaults.Security;

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

    public DashboardAddresses Addresses { get; } = DashboardAddresses.Choose(settings.DashboardPort);

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var http = new HttpClient(new LocalKeyHandler(new ClusterHome(settings.Home), new SocketsHttpHandler())) { Timeout = Timeout.InfiniteTimeSpan };
        var cluster = new ClusterWatcher(() => Connect(http), time);
        var feed = new ResourceFeed(topology, facts, table, cluster, Addresses, time);
        using var serving = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var following = Task.CompletedTask;
        try
        {
            await using var server = ResourceServer.Build(Addresses, feed, logs, new(feed, new(() => Connect(http), time), cluster, processes), time);
            await server.StartAsync(stopping).ConfigureAwait(false);
            following = Task.WhenAll(cluster.RunAsync(serving.Token), feed.RunAsync(serving.Token));
            await RunDashboardAsync(http, stopping).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return;
        }
        catch (Exception failure) when (failure is DashboardUnavailableException or IOException or Win32Exception)
        {
            reporter.Line(Lines.Row("dashboard", "missing", $"{failure.Message} The cluster runs on without it."));
        }
        finally
        {
            // Without a dashboard nobody looks: following the cluster would only cost.
            await serving.CancelAsync().ConfigureAwait(false);
            await following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private ClusterClient? Connect(HttpClient http) =>
        table.Current[ClusterTopology.Coordinator].Urls.TryGetValue(ClusterTopology.HttpEndpoint, out var url) ? new(http, url) : null;

    private async Task RunDashboardAsync(HttpClient http, CancellationToken stopping)
    {
        if (DashboardAddresses.PortProblem(settings.DashboardPort, LoopbackPort.IsFree) is { } problem)
        {
            throw new DashboardUnavailableException(problem);
        }

        var installer = new DashboardInstaller(settings.DashboardFolder ?? Path.Join(settings.Home, "dashboard"), time);
        var program = await installer.EnsureAsync(text => reporter.Line(Lines.Row("dashboard", "installing", text)), stopping).ConfigureAwait(false);
        using var log = new ProcessLog(Path.Join(settings.Home, "logs", "dashboard.log"), MostLogBytes);
        await new DashboardProcess(Addresses, log, http, reporter, time).RunAsync(program, stopping).ConfigureAwait(false);
    }
}
