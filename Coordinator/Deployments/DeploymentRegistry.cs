using System.Collections.Immutable;
using ClusterLlm.Coordinator.Hosting;
using ClusterLlm.Coordinator.Nodes;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>All deployments, by id: in memory for readers, on disk before anything is done about a change.</summary>
internal sealed partial class DeploymentRegistry(DeploymentStore store, ILogger<DeploymentRegistry> logger) : ICommittedMemory, IDisposable
{
    private readonly SnapshotFeed<ImmutableSortedDictionary<string, Deployment>> _feed =
        new(ImmutableSortedDictionary.Create<string, Deployment>(StringComparer.Ordinal));

    // One writer at a time: what is on disk and what is in memory change in the same order.
    private readonly SemaphoreSlim _writer = new(1, 1);

    public ImmutableSortedDictionary<string, Deployment> Current => _feed.Current;

    public SnapshotFeed<ImmutableSortedDictionary<string, Deployment>>.Subscription Subscribe() => _feed.Subscribe();

    /// <summary>By id, or by name; of several with one name the one that is not over, else the newest.</summary>
    public Deployment? Find(string idOrName) => Current.TryGetValue(idOrName, out var deployment)
        ? deployment
        : Current.Values.Where(candidate => candidate.Name == idOrName)
            .OrderBy(candidate => candidate.State == DeploymentState.Stopped)
            .ThenByDescending(candidate => candidate.CreatedAt)
            .FirstOrDefault();

    public long CommittedBytes(string nodeId) => ClusterSnapshots.CommittedBytes(nodeId, Current.Values, except: null);

    /// <summary>Reads what the last run left.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        var loaded = await store.LoadAsync(cancellationToken);
        _feed.Update(all => (all.SetItems(loaded.Select(deployment => KeyValuePair.Create(deployment.Id, deployment))), true));
    }

    /// <summary>Adds one unless <paramref name="conflict"/> finds a reason against it.</summary>
    /// <returns>The reason, or <see langword="null"/> when it was added.</returns>
    public async Task<string?> AddAsync(
        Deployment deployment, Func<IReadOnlyCollection<Deployment>, string?> conflict, CancellationToken cancellationToken)
    {
        await _writer.WaitAsync(cancellationToken);
        try
        {
            if (conflict([.. Current.Values]) is { } reason)
            {
                return reason;
            }

            await store.SaveAsync(deployment, cancellationToken);
            _feed.Update(all => (all.SetItem(deployment.Id, deployment), true));
            LogAdded(deployment.Id, deployment.Name, deployment.Spec.Model);
            return null;
        }
        finally
        {
            _writer.Release();
        }
    }

    /// <summary>Changes one; <paramref name="change"/> returns it unchanged, or <see langword="null"/>, to leave it as it is.</summary>
    /// <returns>The deployment after that; <see langword="null"/> when there is none with this id.</returns>
    public async Task<Deployment?> ChangeAsync(string id, Func<Deployment, Deployment?> change, CancellationToken cancellationToken)
    {
        await _writer.WaitAsync(cancellationToken);
        try
        {
            if (!Current.TryGetValue(id, out var before))
            {
                return null;
            }

            var after = change(before) ?? before;
            if (after == before)
            {
                return before;
            }

            await store.SaveAsync(after, cancellationToken);
            _feed.Update(all => (all.SetItem(id, after), true));
            if (after.State != before.State)
            {
                LogState(before.Name, id, before.State, after.State, after.Reason ?? "-");
            }

            return after;
        }
        finally
        {
            _writer.Release();
        }
    }

    /// <summary>Forgets one.</summary>
    public async Task RemoveAsync(string id, CancellationToken cancellationToken)
    {
        await _writer.WaitAsync(cancellationToken);
        try
        {
            await store.DeleteAsync(id, cancellationToken);
            _feed.Update(all => (all.Remove(id), true));
        }
        finally
        {
            _writer.Release();
        }
    }

    public void Dispose() => _writer.Dispose();

    [LoggerMessage(Level = LogLevel.Information, Message = "Deployment {Id} accepted: {Name}, model {Model}.")]
    private partial void LogAdded(string id, string name, string model);

    [LoggerMessage(Level = LogLevel.Information, Message = "Deployment {Name} ({Id}): {Before} -> {After} ({Reason}).")]
    private partial void LogState(string name, string id, DeploymentState before, DeploymentState after, string reason);
}
