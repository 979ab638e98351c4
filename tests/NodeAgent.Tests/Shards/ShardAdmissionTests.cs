using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Shards;
using ClusterLlm.NodeAgent.Tests.Engines;
using FsCheck;
using FsCheck.Xunit;

namespace ClusterLlm.NodeAgent.Tests.Shards;

public sealed class ShardAdmissionTests
{
    private static readonly ShardCheck Check = new([], WeightBytes: 600, KvCacheBytes: 300, WorkspaceBytes: 100);

    [Fact]
    public void WithMemory_Fits_AddsNothing() =>
        Assert.Empty(Check.WithMemory(Specs.Of(), 0, new MemoryLimit(1_000, "test"), freeBytes: 1_000).Problems);

    [Fact]
    public void WithMemory_PlanLimitBelowNeed_SaysBoth()
    {
        var problem = Assert.Single(Check.WithMemory(Specs.Of() with { MemoryLimitBytes = 999 }, 0, new MemoryLimit(5_000, "test"), 5_000).Problems);

        Assert.Equal((1_000, 999), (problem.Needed, problem.Available));
    }

    [Fact]
    public void WithMemory_OtherProgramsHoldIt_SaysSo()
    {
        var problem = Assert.Single(Check.WithMemory(Specs.Of(), 0, new MemoryLimit(5_000, "test"), freeBytes: 400).Problems);

        Assert.Equal((1_000, 400), (problem.Needed, problem.Available));
        Assert.Contains("free on the machine", problem.Message, StringComparison.Ordinal);
    }

    [Property]
    public bool WithMemory_Always_AdmitsOnlyWhatFits(NonNegativeInt committed, NonNegativeInt usable, NonNegativeInt free) =>
        Check.WithMemory(Specs.Of(), committed.Get, new MemoryLimit(usable.Get, "test"), free.Get).Problems.IsEmpty
            == (committed.Get + 1_000L <= usable.Get && free.Get >= 1_000);
}
