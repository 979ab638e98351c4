using ClusterLlm.NodeAgent.Engines.Builtin.Threading;

namespace ClusterLlm.NodeAgent.Tests.Engines.Builtin.Threading;

public sealed class ComputePoolTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    [InlineData(5, 1)]
    public void Run_ManyPieces_DoesEveryItemOnce(int workers, int grain)
    {
        using var pool = new ComputePool(workers);
        var counts = new int[101];
        var work = new DelegateWork((first, end, worker) =>
        {
            Assert.InRange(worker, 0, workers - 1);
            for (var item = first; item < end; item++)
            {
                Interlocked.Increment(ref counts[item]);
            }
        });
        const int Pieces = 2_000;
        pool.RunPass((pool, work), state =>
        {
            for (var piece = 0; piece < Pieces; piece++)
            {
                state.pool.Run(state.work, counts.Length, grain);
            }
        });
        Assert.All(counts, count => Assert.Equal(Pieces, count));
    }

    [Fact]
    public void RunPass_FromSeveralThreads_TakesTurns()
    {
        using var pool = new ComputePool(2);
        var inside = 0;
        var work = new DelegateWork((_, _, _) => { });
        Parallel.For(0, 50, _ => pool.RunPass((pool, work), state =>
        {
            Assert.Equal(1, Interlocked.Increment(ref inside));
            state.pool.Run(state.work, 10, 1);
            Interlocked.Decrement(ref inside);
        }));
    }

    [Fact]
    public void Run_WorkFails_ThrowsAndGoesOn()
    {
        using var pool = new ComputePool(3);
        var failing = new DelegateWork((first, _, _) => throw new InvalidOperationException($"item {first}"));
        Assert.ThrowsAny<InvalidOperationException>(() => pool.RunPass((pool, failing), state => state.pool.Run(state.failing, 100, 1)));
        var done = 0;
        var work = new DelegateWork((first, end, _) => Interlocked.Add(ref done, end - first));
        pool.RunPass((pool, work), state => state.pool.Run(state.work, 100, 1));
        Assert.Equal(100, done);
    }

    [Fact]
    public void RunPass_Disposed_Throws()
    {
        var pool = new ComputePool(2);
        pool.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pool.RunPass(pool, _ => { }));
    }
}
