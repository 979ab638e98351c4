using System.Collections.Immutable;
using System.Threading.Channels;
using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Dashboard.Contract;
using ClusterLlm.AppHost.Standalone;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.AppHost.Dashboard;

/// <summary>All rows as they are now, and what changed for each dashboard that watches.</summary>
internal sealed class ResourceFeed(ClusterTopology topology, BuildFacts facts, ProcessTable table, ClusterWatcher cluster, DashboardAddresses addresses, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly List<Channel<WatchResourcesChange>> _subscribers = [];
    private readonly DateTimeOffset _since = time.GetUtcNow();
    private readonly ImmutableHashSet<string> _local = [.. topology.Processes.Select(process => process.Name)];
    private ImmutableSortedDictionary<string, Resource> _current = ImmutableSortedDictionary<string, Resource>.Empty;

    /// <summary>The live row of that name: what its commands act on.</summary>
    public LiveResource? Live(string name) => Lives().FirstOrDefault(live => live.Name == name);

    /// <summary>Name of the local process whose row is called so; null when there is none.</summary>
    public string? ProcessOf(string row) => _local.FirstOrDefault(process => addresses.RowOf(process) == row);

    /// <summary>Follows processes and cluster until cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(
        FollowAsync(table.WatchAsync(cancellationToken)),
        FollowAsync(cluster.WatchAsync(cancellationToken)));

    /// <summary>The rows now, and the changes from then on; none is lost between.</summary>
    public (ImmutableArray<Resource> Initial, ChannelReader<WatchResourcesChange> Changes) Subscribe()
    {
        // Unbounded: a dashboard that is behind must not lose a row. It ends with its stream.
        var changes = Channel.CreateUnbounded<WatchResourcesChange>(new() { SingleReader = true });
        lock (_gate)
        {
            _subscribers.Add(changes);
            return ([.. _current.Values], changes.Reader);
        }
    }

    public void Unsubscribe(ChannelReader<WatchResourcesChange> changes)
    {
        lock (_gate)
        {
            _subscribers.RemoveAll(subscriber => subscriber.Reader == changes);
        }
    }

    private async Task FollowAsync<T>(IAsyncEnumerable<T> changes)
    {
        await foreach (var _ in changes.ConfigureAwait(false))
        {
            Refresh();
        }
    }

    private void Refresh()
    {
        lock (_gate)
        {
            var now = Rows().ToImmutableSortedDictionary(row => row.Name, row => row);
            var gone = _current.Values.Where(row => !now.ContainsKey(row.Name))
                .Select(row => new WatchResourcesChange { Delete = new() { ResourceName = row.Name, ResourceType = row.ResourceType } });
            var changed = now.Values.Where(row => !row.Equals(_current.GetValueOrDefault(row.Name)))
                .Select(row => new WatchResourcesChange { Upsert = row });
            foreach (var change in gone.Concat(changed).ToList())
            {
                _subscribers.ForEach(subscriber => subscriber.Writer.TryWrite(change));
            }

            _current = now;
        }
    }

    private IEnumerable<Resource> Rows()
    {
        var processes = table.Current;
        var view = cluster.Current;
        return topology.Processes
            .Select(process => ResourceMapping.Process(addresses.RowOf(process.Name), process, processes[process.Name], new(Launch(process), view.Node(process.Name)), _since))
            .Concat(Lives().Select(live => ResourceMapping.Live(live, _since)))
            .Select(row => ResourceMoments.Keep(row, _current.GetValueOrDefault(row.Name), time.GetUtcNow()));
    }

    private ImmutableArray<LiveResource> Lives() => LiveResources.From(cluster.Current, _local, addresses.RowOf(ClusterTopology.Coordinator), topology.Python);

    private ProcessLaunch Launch(ProcessResource process) => new(
        facts.Outputs.GetValueOrDefault(process.Project, ""),
        addresses.TelemetryEnvironment(process.Name));
}
