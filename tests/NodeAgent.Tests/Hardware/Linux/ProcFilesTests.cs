using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Hardware.Linux;

namespace ClusterLlm.NodeAgent.Tests.Hardware.Linux;

public sealed class ProcFilesTests
{
    [Fact]
    public void CpuTime_GuestTime_IsNotCountedTwice() =>
        Assert.Equal(new CpuTicks(36, 9), ProcFiles.CpuTime("cpu  1 2 3 4 5 6 7 17 100 100\n"));

    [Theory]
    [InlineData("")]
    [InlineData("intr 1 2 3 4 5")]
    [InlineData("cpu 1 2 x 4 5")]
    [InlineData("cpu 1 2")]
    public void CpuTime_OtherText_IsNull(string text) => Assert.Null(ProcFiles.CpuTime(text));

    [Theory]
    [InlineData("MemTotal: 12 kB\n", 12_288L)]
    [InlineData("MemTotal: kB\n", null)]
    [InlineData("MemTotalX: 12 kB\n", null)]
    [InlineData("", null)]
    public void MemInfoBytes_Line_IsReadInBytes(string text, long? expected) => Assert.Equal(expected, ProcFiles.MemInfoBytes(text, "MemTotal"));

    [Fact]
    public void Load_CountersWentBack_IsUnknown() => Assert.Null(CpuTicks.Load(new(10, 10), new(5, 20)));

    [Fact]
    public void Load_NoTimePassed_IsUnknown() => Assert.Null(CpuTicks.Load(new(10, 10), new(10, 10)));
}
