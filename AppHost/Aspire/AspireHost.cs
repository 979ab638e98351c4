using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Demo;
using ClusterLlm.AppHost.Output;
using ClusterLlm.AppHost.Settings;
using ClusterLlm.AppHost.Standalone;
using ClusterLlm.AppHost.Topology;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.ServiceDefaults.Security;
using Microsoft.Extensions.DependencyInjection;

namespace ClusterLlm.AppHost.Aspire;

/// <summary>Runs the topology under Aspire, shows the cluster in its dashboard, and tells how the start goes.</summary>
internal sealed class AspireHost : IDisposable
{
    private const string Dashboard = "aspire-dashboard";

    private readonly ClusterTopology _topology;
    private readonly AppHostSettings _settings;
    private readonly ConsoleReporter _reporter;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;
    private readonly IDistributedApplicationBuilder _builder;
    private readonly AspireModel _model;
    private readonly CommandMapping _commands;
    private readonly ClusterWatcher _watcher;
    private readonly LifeLine _lifeLine;

    public AspireHost(IDistributedApplicationBuilder builder, ClusterTopology topology, AppHostSettings settings, ConsoleReporter reporter, TimeProvider time)
    {
        _builder = builder;
        _topology = topology;
        _settings = settings;
        _http = new(new LocalKeyHandler(new ClusterHome(settings.Home), new SocketsHttpHandler()));
        _reporter = reporter;
        _time = time;
        _watcher = new(Connect, time);
        _commands = new(new(Connect, time), _watcher);
        _lifeLine = LifeLine.Open(settings.Home);
        _model = new(builder, _commands, _watcher, _lifeLine.Path);
        _model.Add(topology);
    }

    private string CoordinatorUrl => _model.Projects[ClusterTopology.Coordinator].GetEndpoint(ClusterTopology.HttpEndpoint).Url;

    /// <summary>Runs until <paramref name="stopping"/>.</summary>
    /// <returns>The exit code: 0 after a stop that was asked for.</returns>
    public async Task<int> RunAsync(string loginUrl, CancellationToken stopping)
    {
        var began = _time.GetTimestamp();
        var app = _builder.Build();
        await using (app.ConfigureAwait(false))
        {
            await app.StartAsync(stopping).ConfigureAwait(false);
            using var background = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            var notifications = app.Services.GetRequiredService<ResourceNotificationService>();
            Task[] followers =
            [
                _watcher.RunAsync(background.Token),
                new ProcessLines(notifications, _topology, _reporter).RunAsync(background.Token),
                TellDashboardAsync(notifications, loginUrl, background.Token),
                ShowClusterAsync(app.Services, notifications, background.Token),
                _model.Python?.FollowAsync(app.Services, _watcher, background.Token) ?? Task.CompletedTask,
            ];
            var exitCode = await BringUpAsync(notifications, began, stopping).ConfigureAwait(false);
            _reporter.Line("stopping");
            await background.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(followers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await app.StopAsync(CancellationToken.None).ConfigureAwait(false);
            return exitCode;
        }
    }

    public void Dispose()
    {
        _lifeLine.Dispose();
        _http.Dispose();
    }

    private async Task<int> BringUpAsync(ResourceNotificationService notifications, long began, CancellationToken stopping)
    {
        try
        {
            foreach (var process in _topology.Processes)
            {
                await SettleAsync(notifications, process.Name, stopping).ConfigureAwait(false);
            }

            var url = CoordinatorUrl;
            new RunRecord(Environment.ProcessId, url, []).Write(_settings.Home);
            var demo = _topology.Demo is { } wanted
                ? await new DemoLauncher(new(_http, url), _reporter, _time).RunAsync(wanted, stopping).ConfigureAwait(false)
                : null;
            TellReady(url, demo, began);
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, stopping).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return 0;
        }
        catch (StartFailedException failure)
        {
            _reporter.Line(failure.Message);
            return 1;
        }

        return 0;
    }

    private static async Task SettleAsync(ResourceNotificationService notifications, string name, CancellationToken stopping)
    {
        var settled = await notifications.WaitForResourceAsync(
            name,
            change => change.Snapshot.HealthStatus == Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy || HasEnded(change.Snapshot),
            stopping).ConfigureAwait(false);
        if (name == ClusterTopology.Coordinator && HasEnded(settled.Snapshot))
        {
            throw new StartFailedException($"The Coordinator does not run ({settled.Snapshot.State?.Text}), so nothing can; the dashboard shows its log.");
        }
    }

    private static bool HasEnded(CustomResourceSnapshot snapshot) =>
        snapshot.State?.Text is { } state && KnownResourceStates.TerminalStates.Contains(state);

    private void TellReady(string url, DeploymentView? demo, long began)
    {
        if (demo is { IsReady: true })
        {
            _reporter.Line("");
            _reporter.Line(Lines.Curl(url, demo.Name, DemoDeployment.Question));
            _reporter.Line("");
        }

        _reporter.Line(Lines.Ready(url, demo is { IsReady: true } ? demo.Name : null, _time.GetElapsedTime(began)));
    }

    private async Task TellDashboardAsync(ResourceNotificationService notifications, string loginUrl, CancellationToken cancellationToken)
    {
        var settled = await notifications.WaitForResourceAsync(
            Dashboard, change => change.Snapshot.State?.Text == KnownResourceStates.Running || HasEnded(change.Snapshot), cancellationToken).ConfigureAwait(false);
        _reporter.Line(HasEnded(settled.Snapshot)
            ? Lines.Row("dashboard", "failed", "the cluster runs on without it")
            : Lines.Row("dashboard", "running", loginUrl));
    }

    private async Task ShowClusterAsync(IServiceProvider services, ResourceNotificationService notifications, CancellationToken cancellationToken)
    {
        var coordinator = await notifications.WaitForResourceAsync(
            ClusterTopology.Coordinator, change => change.Snapshot.State?.Text == KnownResourceStates.Running, cancellationToken).ConfigureAwait(false);
        var rows = new LiveRows(_builder, _commands, _model.Projects, notifications, services.GetRequiredService<ResourceLoggerService>());
        await rows.RunAsync(_watcher, coordinator.ResourceId, cancellationToken).ConfigureAwait(false);
    }

    private ClusterClient? Connect() =>
        _model.Projects.TryGetValue(ClusterTopology.Coordinator, out var coordinator)
        && coordinator.GetEndpoint(ClusterTopology.HttpEndpoint) is { IsAllocated: true } endpoint
            ? new(_http, endpoint.Url)
            : null;
}
