using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace ClusterLlm.Coordinator.Hosting;

/// <summary>Holds one immutable snapshot: readers never lock, writers replace it under one lock, subscribers get every newest one.</summary>
internal sealed class SnapshotFeed<T>(T initial)
    where T : class
{
    private readonly Lock _gate = new();
    private readonly List<Channel<T>> _subscribers = [];
    private T _current = initial;

    public T Current => Volatile.Read(ref _current);

    /// <summary>Replaces the snapshot by what <paramref name="change"/> makes of it; the same instance back means that nothing changed.</summary>
    /// <returns>What <paramref name="change"/> returns beside the new snapshot.</returns>
    public TResult Update<TResult>(Func<T, (T Next, TResult Result)> change)
    {
        lock (_gate)
        {
            var (next, result) = change(_current);
            if (!ReferenceEquals(next, _current))
            {
                Volatile.Write(ref _current, next);
                foreach (var subscriber in _subscribers)
                {
                    subscriber.Writer.TryWrite(next);
                }
            }

            return result;
        }
    }

    /// <summary>The snapshot of now, and all newer ones; a slow reader skips those in between.</summary>
    public Subscription Subscribe()
    {
        // Only the newest snapshot matters: each one is whole.
        var channel = Channel.CreateBounded<T>(new BoundedChannelOptions(1)
        {
            FullMode = BoundedChannelFullMode.DropOldest,
            SingleReader = true,
        });
        lock (_gate)
        {
            _subscribers.Add(channel);
            return new Subscription(this, channel, _current);
        }
    }

    private void Remove(Channel<T> channel)
    {
        lock (_gate)
        {
            _subscribers.Remove(channel);
        }

        channel.Writer.TryComplete();
    }

    /// <summary>One reader's place in the feed; dispose it to leave.</summary>
    internal sealed class Subscription(SnapshotFeed<T> feed, Channel<T> channel, T first) : IDisposable
    {
        /// <summary>The snapshot at the time of subscribing.</summary>
        public T First { get; } = first;

        /// <summary>Snapshots that came after <see cref="First"/>, until the token or the subscription ends.</summary>
        public IAsyncEnumerable<T> ChangesAsync(CancellationToken cancellationToken) => channel.Reader.ReadAllAsync(cancellationToken);

        /// <summary><see cref="First"/>, then all changes.</summary>
        public async IAsyncEnumerable<T> AllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            yield return First;
            await foreach (var next in channel.Reader.ReadAllAsync(cancellationToken))
            {
                yield return next;
            }
        }

        public void Dispose() => feed.Remove(channel);
    }
}
