namespace ClusterLlm.NodeAgent.Engines.Mlx.Requests;

/// <summary>Lets as many answers run as decode together; the others wait here, where they can be counted and cancelled.</summary>
/// <param name="running">≥ 1.</param>
/// <param name="waiting">More are refused.</param>
internal sealed class Admission(int running, int waiting) : IDisposable
{
    private readonly SemaphoreSlim _slots = new(running);
    private int _waiting;
    private int _running;

    public int Waiting => Volatile.Read(ref _waiting);

    public int Running => Volatile.Read(ref _running);

    /// <summary>Waits for a slot; the result gives it back.</summary>
    /// <exception cref="GenerationException">429: too many wait already.</exception>
    public async Task<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        if (!_slots.Wait(0, CancellationToken.None))
        {
            await QueueAsync(cancellationToken).ConfigureAwait(false);
        }

        Interlocked.Increment(ref _running);
        return new Slot(this);
    }

    public void Dispose() => _slots.Dispose();

    private async Task QueueAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _waiting) > waiting)
        {
            Interlocked.Decrement(ref _waiting);
            throw new GenerationException(429, $"{waiting} requests wait for the mlx engine already: try again later.", code: "queue_full");
        }

        try
        {
            await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private sealed class Slot(Admission owner) : IDisposable
    {
        private int _returned;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _returned, 1) == 0)
            {
                Interlocked.Decrement(ref owner._running);
                owner._slots.Release();
            }
        }
    }
}
