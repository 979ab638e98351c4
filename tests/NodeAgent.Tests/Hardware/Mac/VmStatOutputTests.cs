using ClusterLlm.NodeAgent.Hardware.Mac;

namespace ClusterLlm.NodeAgent.Tests.Hardware.Mac;

public sealed class VmStatOutputTests
{
    [Theory]
    [InlineData("vm_stat_16gb_pressure.txt", (159_117L + 194_947 + 454_496) * 16_384)]
    [InlineData("vm_stat_32gb.txt", (268_246L + 850_962 + 44_642) * 16_384)]
    public void UsedBytes_WholeOutput_IsWiredActiveAndCompressed(string sample, long expected) =>
        Assert.Equal(expected, VmStatOutput.Parse(Samples.Read(sample)).UsedBytes);

    [Fact]
    public void UsedBytes_CompressorLineMissing_IsUnknown() =>
        Assert.Null(VmStatOutput.Parse(Samples.Read("vm_stat_m3ultra_512gb_head.txt")).UsedBytes);

    [Fact]
    public void Pages_LabelInQuotes_IsFoundWithoutThem() =>
        Assert.Equal(574_921_966, VmStatOutput.Parse(Samples.Read("vm_stat_16gb_pressure.txt")).Pages("Translation faults"));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("zsh: command not found: vm_stat")]
    [InlineData("Mach Virtual Memory Statistics: (page size of  bytes)\nPages free: x.")]
    public void UsedBytes_NoOutput_IsUnknown(string? output) => Assert.Null(VmStatOutput.Parse(output).UsedBytes);
}
