using System.IO.Pipelines;
using System.Text;
using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Tests.Commands;
using Microsoft.Extensions.Time.Testing;

namespace ClusterLlm.AppHost.Tests.Cluster;

/// <summary>The watcher before a Coordinator whose node events the test writes. Time stands still unless the test moves it.</summary>
public sealed class ClusterWatcherTests : IDisposable
{
    private readonly FakeCluster _cluster = new();
    private readonly FakeTimeProvider _time = new();
    private readonly Pipe _events = new();

    public ClusterWatcherTests() => _cluster
        .AnswerStream("GET /api/nodes/events", () => _events.Reader.AsStream())
        .Answer("GET /api/deployments", """[{"id": "d1", "name": "demo", "state": "loading"}]""");

    [Fact(Timeout = 60_000)]
    public async Task Run_EventsAndDeployments_AreOneViewSortedById()
    {
        await using var watch = new WatchedCluster(new ClusterWatcher(() => _cluster.Client, _time), TestContext.Current.CancellationToken);
        await TellNodesAsync("""[{"id": "node-2", "state": "ready"}, {"id": "node-1", "state": "ready"}]""");

        var view = await watch.UntilAsync(view => view.Nodes.Length == 2 && view.Deployments.Length == 1);

        Assert.True(view.Connected);
        Assert.Equal(["node-1", "node-2"], view.Nodes.Select(node => node.Id));
        Assert.Equal("demo", view.Deployments[0].Name);
    }

    [Fact(Timeout = 60_000)]
    public async Task Run_CoordinatorGoesAway_KeepsWhatItSaidAndSaysSo()
    {
        await using var watch = new WatchedCluster(new ClusterWatcher(() => _cluster.Client, _time), TestContext.Current.CancellationToken);
        await TellNodesAsync("""[{"id": "node-1", "state": "ready"}]""");
        await watch.UntilAsync(view => view.Nodes.Length == 1 && view.Deployments.Length == 1);

        await _events.Writer.CompleteAsync(new IOException("The connection was reset."));

        var view = await watch.UntilAsync(view => !view.Connected);
        Assert.Equal(("node-1", "demo"), (view.Nodes[0].Id, view.Deployments[0].Name));
    }

    [Fact(Timeout = 60_000)]
    public async Task Run_ManyEventsInASecond_ShowsTheFirstAtOnceAndThenTheNewest()
    {
        await using var watch = new WatchedCluster(new ClusterWatcher(() => _cluster.Client, _time), TestContext.Current.CancellationToken);
        await TellNodesAsync("""[{"id": "node-1", "state": "joining"}]""");
        await watch.UntilAsync(view => view.Nodes is [{ State: "joining" }] && view.Deployments.Length == 1);
        for (var free = 1; free <= 20; free++)
        {
            await TellNodesAsync($$"""[{"id": "node-1", "state": "ready", "freeBytes": {{free}}}]""");
        }

        // What is not shown yet when the stream ends is shown then; until that, time has stood still.
        await _events.Writer.CompleteAsync();
        var shown = new List<long>();
        await watch.UntilAsync(view =>
        {
            shown.Add(view.Nodes[0].FreeBytes);
            return !view.Connected;
        });

        Assert.All(shown, free => Assert.Equal(20, free));
    }

    [Fact(Timeout = 60_000)]
    public async Task Refresh_AsksForDeploymentsWithoutWaitingForTheInterval()
    {
        var watcher = new ClusterWatcher(() => _cluster.Client, _time);
        await using var watch = new WatchedCluster(watcher, TestContext.Current.CancellationToken);
        await watch.UntilAsync(view => view.Deployments is [{ State: "loading" }]);
        _cluster.Answer("GET /api/deployments", """[{"id": "d1", "name": "demo", "state": "ready"}]""");

        watcher.Refresh();

        await watch.UntilAsync(view => view.Deployments is [{ IsReady: true }]);
    }

    [Fact(Timeout = 60_000)]
    public async Task Run_BadAnswer_AsksAgainLater()
    {
        _cluster.Answer("GET /api/deployments", "no JSON");
        var watcher = new ClusterWatcher(() => _cluster.Client, _time);
        await using var watch = new WatchedCluster(watcher, TestContext.Current.CancellationToken);
        await _cluster.WhenAskedAsync("GET /api/deployments", TestContext.Current.CancellationToken);
        _cluster.Answer("GET /api/deployments", "[]");
        await TellNodesAsync("""[{"id": "node-1", "state": "ready"}]""");
        await watch.UntilAsync(view => view.Nodes.Length == 1);
        _cluster.Answer("GET /api/deployments", """[{"id": "d2", "name": "late", "state": "ready"}]""");

        await watch.UntilAsync(view => view.Deployments is [{ Name: "late" }], () => _time.Advance(TimeSpan.FromSeconds(1)));
    }

    public void Dispose() => _cluster.Dispose();

    private async Task TellNodesAsync(string nodes) =>
        await _events.Writer.WriteAsync(Encoding.UTF8.GetBytes($"data: {nodes}\n\n"), TestContext.Current.CancellationToken);

    /// <summary>A running watcher and what it tells.</summary>
    private sealed class WatchedCluster : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop;
        private readonly IAsyncEnumerator<ClusterView> _views;
        private readonly Task _running;

        public WatchedCluster(ClusterWatcher watcher, CancellationToken cancellationToken)
        {
            _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            _views = watcher.WatchAsync(_stop.Token).GetAsyncEnumerator(_stop.Token);
            _running = watcher.RunAsync(_stop.Token);
        }

        /// <param name="waiting">Done again and again until it is so.</param>
        public async Task<ClusterView> UntilAsync(Func<ClusterView, bool> condition, Action? waiting = null)
        {
            while (true)
            {
                var next = _views.MoveNextAsync().AsTask();
                while (waiting is not null && !next.IsCompleted)
                {
                    waiting();
                    await Task.Yield();
                }

                Assert.True(await next);
                if (condition(_views.Current))
                {
                    return _views.Current;
                }
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running;
            await _views.DisposeAsync().AsTask().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _stop.Dispose();
        }
    }
}
