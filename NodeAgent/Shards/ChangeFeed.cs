using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace ClusterLlm.NodeAgent.Shards;

/// <summary>Hands changes to any number of subscribers. The owner calls it under its own lock, so that no change falls between snapshot and stream.</summary>
internal sealed class ChangeFeed<T>
{
    /// <summary>Changes that a subscriber may be behind. One that is further behind is cut off: it subscribes again and gets a new snapshot.</summary>
    private const int Backlog = 1024;

    private ImmutableArray<Channel<T>> _subscribers = [];

    /// <summary>Must be enumerated, or the subscription stays.</summary>
    public IAsyncEnumerable<T> Subscribe(CancellationToken cancellationToken)
    {
        var channel = Channel.CreateBounded<T>(new BoundedChannelOptions(Backlog) { SingleReader = true });
        ImmutableInterlocked.Update(ref _subscribers, (all, added) => all.Add(added), channel);
        return ReadAsync(channel, cancellationToken);
    }

    public void Publish(T change)
    {
        foreach (var channel in _subscribers)
        {
            if (!channel.Writer.TryWrite(change))
            {
                channel.Writer.TryComplete(new SubscriberTooSlowException($"The subscriber is {Backlog} changes behind; subscribe again."));
            }
        }
    }

    private async IAsyncEnumerable<T> ReadAsync(Channel<T> channel, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var change in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return change;
            }
        }
        finally
        {
            channel.Writer.TryComplete();
            ImmutableInterlocked.Update(ref _subscribers, (all, removed) => all.Remove(removed), channel);
        }
    }
}

/// <summary>A subscriber did not read what it asked for.</summary>
internal sealed class SubscriberTooSlowException(string message) : Exception(message);
