using ClusterLlm.AppHost.Standalone;

namespace ClusterLlm.AppHost.Tests.Standalone;

public sealed class LoopbackPortTests
{
    // Where Linux begins to hand out ports by itself; macOS begins at 49152.
    private const int FirstHandedOut = 32_768;

    [Fact]
    public void FindFree_Several_DifferAndAreNoneThatTheSystemHandsOut()
    {
        var ports = LoopbackPort.FindFree(50);

        Assert.Equal(50, ports.Distinct().Count());
        Assert.All(ports, port => Assert.InRange(port, 1_024, FirstHandedOut - 1));
        Assert.All(ports, port => Assert.True(LoopbackPort.IsFree(port)));
    }

    [Fact]
    public void IsFree_SomebodyListens_IsFalse()
    {
        using var taken = TakenPort.Take();

        Assert.False(LoopbackPort.IsFree(taken.Port));
    }
}
