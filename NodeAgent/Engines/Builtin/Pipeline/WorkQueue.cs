using System.Collections.Concurrent;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;

/// <summary>A queue with a limit between a thread that computes and tasks that send or receive: each side may wait in its own way.</summary>
/// <param name="capacity">Items that may wait; a producer waits for room. This is the back-pressure between stages.</param>
internal sealed class WorkQueue<T>(int capacity) : IDisposable
{
    private readonly ConcurrentQueue<T> _items = new();
    private readonly SemaphoreSlim _available = new(0);
    private readonly SemaphoreSlim _room = new(capacity);

    public async ValueTask EnqueueAsync(T item, CancellationToken cancellationToken)
    {
        await _room.WaitAsync(cancellationToken).ConfigureAwait(false);
        Add(item);
    }

    public void Enqueue(T item, CancellationToken cancellationToken)
    {
        _room.Wait(cancellationToken);
        Add(item);
    }

    public async ValueTask<T> DequeueAsync(CancellationToken cancellationToken)
    {
        await _available.WaitAsync(cancellationToken).ConfigureAwait(false);
        return Take();
    }

    public T Dequeue(CancellationToken cancellationToken)
    {
        _available.Wait(cancellationToken);
        return Take();
    }

    public void Dispose()
    {
        _available.Dispose();
        _room.Dispose();
    }

    private void Add(T item)
    {
        _items.Enqueue(item);
        _available.Release();
    }

    private T Take()
    {
        _ = _items.TryDequeue(out var item);
        _room.Release();
        return item!;
    }
}
