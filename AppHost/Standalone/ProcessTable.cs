using System.Collections.Immutable;
using System.Threading.Channels;

namespace ClusterLlm.AppHost.Standalone;

/// <summary>The newest snapshot of every process, and the changes for whoever watches.</summary>
internal sealed class ProcessTable
{
    private readonly Lock _gate = new();
    private readonly List<Channel<ProcessSnapshot>> _watchers = [];
    private ImmutableSortedDictionary<string, ProcessSnapshot> _current;

    public ProcessTable(IEnumerable<string> names) =>
        _current = names.ToImmutableSortedDictionary(name => name, name => new ProcessSnapshot(name, ProcessState.Waiting));

    public ImmutableSortedDictionary<string, ProcessSnapshot> Current
    {
        get
        {
            lock (_gate)
            {
                return _current;
            }
        }
    }

    /// <summary>Replaces the snapshot of <paramref name="name"/>; watchers hear of it in order.</summary>
    public ProcessSnapshot Update(string name, Func<ProcessSnapshot, ProcessSnapshot> change)
    {
        lock (_gate)
        {
            var updated = change(_current[name]);
            if (updated == _current[name])
            {
                return updated;
            }

            _current = _current.SetItem(name, updated);
            foreach (var watcher in _watchers)
            {
                watcher.Writer.TryWrite(updated);
            }

            return updated;
        }
    }

    /// <summary>Every snapshot as it is now, then each change, until <paramref name="cancellationToken"/> ends it.</summary>
    public IAsyncEnumerable<ProcessSnapshot> WatchAsync(CancellationToken cancellationToken)
    {
        // Unbounded: changes are few (a handful per process start), and a watcher that missed one would wait for ever.
        var channel = Channel.CreateUnbounded<ProcessSnapshot>();
        lock (_gate)
        {
            foreach (var snapshot in _current.Values)
            {
                channel.Writer.TryWrite(snapshot);
            }

            _watchers.Add(channel);
        }

        return ReadAsync(channel, cancellationToken);
    }

    /// <summary>Waits until <paramref name="name"/> satisfies <paramref name="condition"/>; returns that snapshot.</summary>
    public async Task<ProcessSnapshot> WaitForAsync(string name, Func<ProcessSnapshot, bool> condition, CancellationToken cancellationToken)
    {
        await foreach (var snapshot in WatchAsync(cancellationToken).ConfigureAwait(false))
        {
            if (snapshot.Name == name && condition(snapshot))
            {
                return snapshot;
            }
        }

        throw new OperationCanceledException(cancellationToken);
    }

    private async IAsyncEnumerable<ProcessSnapshot> ReadAsync(
        Channel<ProcessSnapshot> channel,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var snapshot in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return snapshot;
            }
        }
        finally
        {
            lock (_gate)
            {
                _watchers.Remove(channel);
            }
        }
    }
}
