using System.Diagnostics;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Threading;

/// <summary>A piece of parallel work. Which worker gets which items must not change the result.</summary>
internal interface IParallelWork
{
    /// <summary>Computes the items [<paramref name="first"/>, <paramref name="end"/>).</summary>
    /// <param name="worker">0 to <see cref="ComputePool.Workers"/> − 1: selects scratch memory.</param>
    void Execute(int first, int end, int worker);
}

/// <summary>
/// The threads that compute, shared by all shards of the process: two shards that compute at once would only take the cores from each other.
/// </summary>
/// <remarks>
/// A forward pass is some hundred short parallel pieces, too short to wake a thread for each. So workers spin between the pieces of a pass
/// and block between passes: an idle shard costs nothing. The caller waits only for workers that joined a piece: where other processes
/// hold a processor, the caller does the whole piece rather than wait for a thread that does not run.
/// </remarks>
internal sealed class ComputePool : IDisposable
{
    /// <summary>A piece of work has a number (above), a bit that says that nobody may join any more, and a count of those who joined.</summary>
    private const int NumberShift = 16;
    private const long Closed = 1L << 15;
    private const long JoinedMask = Closed - 1;

    private static readonly long SpinTicks = Stopwatch.Frequency / 20_000;
    private readonly Lock _pass = new();
    private readonly Thread[] _threads;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly PaddedCounters _state = new();
    private volatile IParallelWork? _work;
    private volatile bool _passActive;
    private volatile bool _stopping;
    private Exception? _failure;
    private int _items;
    private int _grain;
    private int _sleepers;

    /// <param name="workers">Threads that compute, the caller's included; 0 is one per processor.</param>
    public ComputePool(int workers)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(workers);
        Workers = workers == 0 ? Environment.ProcessorCount : workers;
        _threads = new Thread[Workers - 1];
        for (var index = 0; index < _threads.Length; index++)
        {
            var worker = index + 1;
            _threads[index] = new Thread(() => RunWorker(worker)) { IsBackground = true, Name = $"builtin-compute-{worker}" };
            _threads[index].Start();
        }
    }

    public int Workers { get; }

    /// <summary>Holds the pool for one forward pass. Passes of other shards wait.</summary>
    public void RunPass<TState>(TState state, Action<TState> pass)
    {
        lock (_pass)
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            _passActive = true;
            WakeSleepers();
            try
            {
                pass(state);
            }
            finally
            {
                _passActive = false;
            }
        }
    }

    /// <summary>Splits the items over all workers and returns when all are done. Only inside <see cref="RunPass"/>.</summary>
    /// <param name="grain">Items that a worker takes at a time; ≥ 1.</param>
    public void Run(IParallelWork work, int items, int grain)
    {
        if (Workers == 1 || items <= grain)
        {
            work.Execute(0, items, 0);
            return;
        }

        _items = items;
        _grain = grain;
        _work = work;
        Volatile.Write(ref _state.Next, 0);

        // Publishes everything above: a worker that joins this number sees the work.
        Interlocked.Exchange(ref _state.Piece, (Number(_state.Piece) + 1) << NumberShift);
        WakeSleepers();
        Take(work, 0);
        Interlocked.Or(ref _state.Piece, Closed);
        var spins = 0;
        while ((Volatile.Read(ref _state.Piece) & JoinedMask) != 0)
        {
            Spin(ref spins);
        }

        if (Interlocked.Exchange(ref _failure, null) is { } failure)
        {
            throw new InvalidOperationException($"A compute worker failed: {failure.Message}", failure);
        }
    }

    public void Dispose()
    {
        lock (_pass)
        {
            _stopping = true;
        }

        _wake.Release(_threads.Length + 1);
        foreach (var thread in _threads)
        {
            thread.Join();
        }

        _wake.Dispose();
    }

    private static void Spin(ref int spins)
    {
        Thread.SpinWait(8);
        if (++spins % 64 == 0)
        {
            // Where there are fewer cores than threads, the one that is waited for must get to run.
            Thread.Yield();
        }
    }

    private void WakeSleepers()
    {
        // A thread that was told and has not run yet still counts as asleep: it is not told again.
        var untold = Volatile.Read(ref _sleepers) - _wake.CurrentCount;
        if (untold > 0)
        {
            _wake.Release(untold);
        }
    }

    private static long Number(long piece) => piece >> NumberShift;

    private void RunWorker(int worker)
    {
        var seen = 0L;
        while (WaitForWork(seen) is var piece && !_stopping)
        {
            if (Interlocked.CompareExchange(ref _state.Piece, piece + 1, piece) != piece)
            {
                continue;
            }

            seen = Number(piece);
            Take(_work!, worker);
            Interlocked.Decrement(ref _state.Piece);
        }
    }

    /// <returns>A piece that is open and not the one seen last; anything when the pool stops.</returns>
    private long WaitForWork(long seen)
    {
        var spins = 0;
        var start = Stopwatch.GetTimestamp();
        while (!_stopping)
        {
            var piece = Volatile.Read(ref _state.Piece);
            if (Number(piece) != seen && (piece & Closed) == 0)
            {
                return piece;
            }

            Spin(ref spins);
            if (!_passActive && Stopwatch.GetTimestamp() - start > SpinTicks)
            {
                Sleep();
                start = Stopwatch.GetTimestamp();
            }
        }

        return 0;
    }

    private void Sleep()
    {
        Interlocked.Increment(ref _sleepers);

        // Looked at again after the count has risen, so that a pass that starts now either is seen here or sees the sleeper.
        if (!_passActive && !_stopping)
        {
            _wake.Wait();
        }

        Interlocked.Decrement(ref _sleepers);
    }

    /// <summary>Computes items until none is left. Failures are kept for the caller of <see cref="Run"/>: others may still be at work.</summary>
    private void Take(IParallelWork work, int worker)
    {
        try
        {
            while (true)
            {
                var first = Interlocked.Add(ref _state.Next, _grain) - _grain;
                if (first >= _items)
                {
                    return;
                }

                work.Execute(first, Math.Min(_items, first + _grain), worker);
            }
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            Interlocked.CompareExchange(ref _failure, exception, null);
        }
    }

    /// <summary>The counters that all threads touch, each on a cache line of its own.</summary>
    private sealed class PaddedCounters
    {
#pragma warning disable CS0169, IDE0051 // The padding is never read.
        private readonly long _a0, _a1, _a2, _a3, _a4, _a5, _a6, _a7;
        public long Piece = Closed;
        private readonly long _b0, _b1, _b2, _b3, _b4, _b5, _b6, _b7;
        public int Next;
        private readonly long _c0, _c1, _c2, _c3, _c4, _c5, _c6, _c7;
#pragma warning restore CS0169, IDE0051
    }
}
