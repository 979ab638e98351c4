using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Commands;
using ClusterLlm.AppHost.Dashboard;
using ClusterLlm.AppHost.Dashboard.Contract;
using ClusterLlm.AppHost.Standalone;
using ClusterLlm.AppHost.Tests.Commands;
using ClusterLlm.AppHost.Topology;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Time.Testing;

namespace ClusterLlm.AppHost.Tests.Dashboard;

/// <summary>The resource service on a loopback port, before a cluster that answers from a table; the tests are its dashboard.</summary>
internal sealed class ResourceServiceFixture : IAsyncDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("clusterllm-resources-").FullName;
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<string, ProcessLog> _logs;
    private readonly WebApplication _server;
    private readonly GrpcChannel _channel;
    private readonly Task _following;

    private ResourceServiceFixture()
    {
        var topology = ClusterTopology.Build(new() { Home = _home, Agents = 1 }, "/samples");
        Table = new(topology.Processes.Select(process => process.Name));
        _logs = topology.Processes.ToDictionary(process => process.Name, process => new ProcessLog(Path.Join(_home, $"{process.Name}.log"), mostBytes: 1_000_000));
        Addresses = DashboardAddresses.Choose(0);
        var watcher = new ClusterWatcher(() => null, TimeProvider.System);
        var facts = new BuildFacts(new Dictionary<string, string> { ["Coordinator"] = "/c.dll", ["NodeAgent"] = "/n.dll" }, "/samples");
        var feed = new ResourceFeed(topology, facts, Table, watcher, Addresses, TimeProvider.System);
        var runner = new CommandRunner(() => Cluster.Client, TimeProvider.System);
        _server = ResourceServer.Build(Addresses, feed, _logs, new(feed, runner, watcher, () => throw new InvalidOperationException("No process runs here.")), Time);
        _channel = GrpcChannel.ForAddress(Addresses.ResourceUrl);
        _following = feed.RunAsync(_stop.Token);
    }

    /// <summary>Of the dialogs.</summary>
    public FakeTimeProvider Time { get; } = new();

    public FakeCluster Cluster { get; } = new();

    public ProcessTable Table { get; }

    public DashboardAddresses Addresses { get; }

    public DashboardService.DashboardServiceClient Client => new(_channel);

    public string CoordinatorRow => Addresses.RowOf(ClusterTopology.Coordinator);

    public static async Task<ResourceServiceFixture> StartAsync(CancellationToken cancellationToken)
    {
        var fixture = new ResourceServiceFixture();
        await fixture._server.StartAsync(cancellationToken);
        return fixture;
    }

    public ProcessLog LogOf(string process) => _logs[process];

    /// <summary>The key as the dashboard sends it.</summary>
    public Metadata Key(string? key = null) => new() { { "x-resource-service-api-key", key ?? Addresses.ResourceKey } };

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _channel.Dispose();
        await _server.DisposeAsync();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        Cluster.Dispose();
        foreach (var log in _logs.Values)
        {
            log.Dispose();
        }

        Directory.Delete(_home, recursive: true);
    }
}
