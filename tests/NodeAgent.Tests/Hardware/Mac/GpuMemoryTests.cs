using ClusterLlm.NodeAgent.Hardware.Mac;

namespace ClusterLlm.NodeAgent.Tests.Hardware.Mac;

public sealed class GpuMemoryTests
{
    private const long GibiByte = 1L << 30;

    // The smallest limit on record per size: the assumed default must not be above it.
    [Theory]
    [InlineData(16, 11_453_000_000)]
    [InlineData(24, 17_180_000_000)]
    [InlineData(64, 48 * GibiByte)]
    [InlineData(96, 72 * GibiByte)]
    [InlineData(128, 96 * GibiByte)]
    [InlineData(192, 144 * GibiByte)]
    public void Usable_Default_IsNotAboveWhatWasSeen(int memoryGibiBytes, long seen)
    {
        var limit = GpuMemory.Usable(memoryGibiBytes * GibiByte, 0, hasGpu: true);

        Assert.InRange(limit.Bytes, seen * 0.97, seen * 1.005);
        Assert.Contains("assumed", limit.Source, StringComparison.Ordinal);
    }

    [Fact]
    public void Usable_LimitSet_IsTheLimit() =>
        Assert.Equal(new(114_688L << 20, "iogpu.wired_limit_mb"), GpuMemory.Usable(128 * GibiByte, 114_688, hasGpu: true));

    [Fact]
    public void Usable_LimitAboveMemory_IsTheMemory() =>
        Assert.Equal(16 * GibiByte, GpuMemory.Usable(16 * GibiByte, 118_000, hasGpu: true).Bytes);

    [Fact]
    public void Usable_NoGpu_IsAPartOfMemory() =>
        Assert.Equal(new(9_000, "90 % of hw.memsize"), GpuMemory.Usable(10_000, null, hasGpu: false));
}
