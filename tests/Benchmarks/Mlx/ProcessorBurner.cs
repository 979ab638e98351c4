namespace ClusterLlm.Benchmarks.Mlx;

/// <summary>
/// Uses a given processor time for each token, on a thread of its own that nobody waits for. What it costs the ranks is what any other program of that size would
/// cost them on this machine: the part of a way's cost that is contention for cores.
/// </summary>
internal sealed class ProcessorBurner : IDisposable
{
    private static readonly double TurnsPerMs = Calibrate();

    private readonly SemaphoreSlim _due = new(0);
    private readonly long _turns;
    private readonly Thread _thread;
    private volatile bool _ends;

    /// <param name="millisecondsPerToken">≥ 0.</param>
    public ProcessorBurner(double millisecondsPerToken)
    {
        _turns = (long)(millisecondsPerToken * TurnsPerMs);
        _thread = new Thread(Run) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>Call before the machine is busy: the measure is taken at the first use.</summary>
    public static void Prepare() => _ = TurnsPerMs;

    /// <summary>A token has come.</summary>
    public void Token() => _due.Release();

    public void Dispose()
    {
        _ends = true;
        _due.Release();
        _thread.Join();
        _due.Dispose();
    }

    private void Run()
    {
        while (true)
        {
            _due.Wait();
            if (_ends)
            {
                return;
            }

            Burn(_turns);
        }
    }

    private static double Calibrate()
    {
        const long Turns = 20_000_000;
        Burn(Turns);
        var before = Environment.CpuUsage.TotalTime;
        Burn(Turns);
        return Turns / (Environment.CpuUsage.TotalTime - before).TotalMilliseconds;
    }

    private static void Burn(long turns)
    {
        for (var turn = 0L; turn < turns; turn++)
        {
            // What the loop does must not matter to the compiler.
            Thread.MemoryBarrier();
        }
    }
}
