using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;

namespace ClusterLlm.AppHost.Cluster;

/// <summary>
/// Follows nodes and deployments of the Coordinator for as long as it runs: nodes by their event stream, deployments by asking for the list, because
/// the API streams single deployments only and the list also shows those that others launch. It runs for as long as the host, so it does nothing for answers
/// that are those of before.
/// </summary>
/// <param name="connect">The Coordinator where it listens now; null while it does not.</param>
internal sealed class ClusterWatcher(Func<ClusterClient?> connect, TimeProvider time)
{
    /// <summary>While a deployment is on its way to something, which people watch.</summary>
    private static readonly TimeSpan MovingInterval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan DeploymentInterval = TimeSpan.FromSeconds(2);

    /// <summary>Agents report every second, each by itself; to show each report at once would be most of what an idle host does. After a pause, a change is shown at once.</summary>
    private static readonly TimeSpan NodeInterval = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly List<Channel<ClusterView>> _subscribers = [];
    private readonly Channel<bool> _refresh = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private ClusterView _current = ClusterView.Empty;

    public ClusterView Current
    {
        get
        {
            lock (_gate)
            {
                return _current;
            }
        }
    }

    /// <summary>Asks for the deployments at once: a command has just changed something.</summary>
    public void Refresh() => _refresh.Writer.TryWrite(true);

    /// <summary>The cluster now and after changes; a slow reader sees the newest state, not each one.</summary>
    public async IAsyncEnumerable<ClusterView> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var changes = Channel.CreateBounded<ClusterView>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (_gate)
        {
            _subscribers.Add(changes);
            changes.Writer.TryWrite(_current);
        }

        try
        {
            await foreach (var view in changes.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return view;
            }
        }
        finally
        {
            lock (_gate)
            {
                _subscribers.Remove(changes);
            }
        }
    }

    /// <summary>Runs until cancelled; a Coordinator that is away is asked again.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(
        RepeatAsync(FollowNodesAsync, cancellationToken),
        RepeatAsync(FollowDeploymentsAsync, cancellationToken));

    private async Task RepeatAsync(Func<ClusterClient, CancellationToken, Task> follow, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                if (connect() is { } cluster)
                {
                    await follow(cluster, cancellationToken).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception away) when (away is HttpRequestException or IOException or JsonException or KeyNotFoundException or TaskCanceledException)
            {
                // Told by Connected; the supervisor of the Coordinator tells why it is away.
            }

            Update(view => view with { Connected = false });
            try
            {
                await Task.Delay(RetryInterval, time, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task FollowNodesAsync(ClusterClient cluster, CancellationToken cancellationToken)
    {
        var newest = Channel.CreateBounded<string>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var reading = ReadNodesAsync(cluster, newest.Writer, over.Token);
        try
        {
            await foreach (var text in newest.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                var nodes = ClusterClient.ReadNodes(text);
                Update(view => view with { Connected = true, Nodes = [.. nodes.OrderBy(node => node.Id, StringComparer.Ordinal)] });
                await Task.WhenAny(reading, Task.Delay(NodeInterval, time, over.Token)).ConfigureAwait(false);
            }

            await reading.ConfigureAwait(false);
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task ReadNodesAsync(ClusterClient cluster, ChannelWriter<string> newest, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var text in cluster.WatchNodesAsync(cancellationToken).ConfigureAwait(false))
            {
                newest.TryWrite(text);
            }
        }
        finally
        {
            newest.Complete();
        }
    }

    private async Task FollowDeploymentsAsync(ClusterClient cluster, CancellationToken cancellationToken)
    {
        var shown = "";
        var interval = MovingInterval;

        // Ends when the Coordinator listens elsewhere: then the next round asks there.
        while (connect()?.BaseUrl == cluster.BaseUrl)
        {
            var text = await cluster.DeploymentsTextAsync(cancellationToken).ConfigureAwait(false);
            if (text != shown || !Current.Connected)
            {
                var deployments = ClusterClient.ReadDeployments(text);
                Update(view => view with { Connected = true, Deployments = [.. deployments] });
                interval = deployments.All(deployment => deployment.IsSettled) ? DeploymentInterval : MovingInterval;
                shown = text;
            }

            await WaitAsync(interval, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Until the interval has passed or somebody asked for a refresh.</summary>
    private async Task WaitAsync(TimeSpan interval, CancellationToken cancellationToken)
    {
        using var passed = new CancellationTokenSource(interval, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(passed.Token, cancellationToken);
        try
        {
            await _refresh.Reader.ReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The interval has passed.
        }
    }

    private void Update(Func<ClusterView, ClusterView> change)
    {
        lock (_gate)
        {
            var changed = change(_current);
            if (ReferenceEquals(changed, _current) || (!changed.Connected && !_current.Connected))
            {
                return;
            }

            _current = changed;
            foreach (var subscriber in _subscribers)
            {
                subscriber.Writer.TryWrite(changed);
            }
        }
    }
}
