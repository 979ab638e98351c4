using System.Buffers;
using ClusterLlm.NodeAgent.Hosting;

namespace ClusterLlm.NodeAgent.Tests.Hosting;

public sealed class LargeBlockPoolTests
{
    [Fact]
    public void Rent_GivenBackOnce_IsGivenOutAgainToOneOnly()
    {
        using var pool = new LargeBlockPools().Create();
        var first = pool.Rent(1);
        Assert.Equal(32 * 1024, first.Memory.Length);

        // Twice by mistake: it must not lie in the pool twice, or two connections would write into one block.
        first.Dispose();
        first.Dispose();
        var second = pool.Rent();
        var third = pool.Rent();

        Assert.Same(first, second);
        Assert.NotSame(second, third);
        second.Dispose();
        Assert.Same(second, pool.Rent());
    }

    [Fact]
    public void Rent_MoreThanABlock_IsRefused()
    {
        using var pool = new LargeBlockPools().Create();

        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Rent(pool.MaxBufferSize + 1));
        Assert.Equal(pool.MaxBufferSize, pool.Rent(pool.MaxBufferSize).Memory.Length);
    }

    [Fact]
    public void Dispose_ManyOut_KeepsAFewAndNoneAfterwards()
    {
        var pool = new LargeBlockPools().Create();
        var all = Enumerable.Range(0, 300).Select(_ => pool.Rent()).ToList();
        all.ForEach(block => block.Dispose());
        var again = Enumerable.Range(0, 300).Select(_ => pool.Rent()).ToHashSet<IMemoryOwner<byte>>(ReferenceEqualityComparer.Instance);
        Assert.Equal(64, all.Count(again.Contains));

        pool.Dispose();
        all[0].Dispose();
        Assert.NotSame(all[0], pool.Rent());
    }
}
