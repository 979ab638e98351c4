using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Hardware.Mac;

namespace ClusterLlm.NodeAgent.Tests.Hardware.Mac;

public sealed class MacTextOutputsTests
{
    [Theory]
    [InlineData("sw_vers_14.6.txt", "macOS 14.6")]
    [InlineData("sw_vers_15.7.9_intel.txt", "macOS 15.7.9")]
    [InlineData("sw_vers_26.6.2.txt", "macOS 26.6.2")]
    public void OperatingSystem_SwVers_IsNameAndVersion(string sample, string expected) =>
        Assert.Equal(expected, MacTextOutputs.OperatingSystem(Samples.Read(sample)));

    [Fact]
    public void OperatingSystem_NoOutput_IsEmpty() => Assert.Equal("", MacTextOutputs.OperatingSystem(null));

    [Theory]
    [InlineData("memory_pressure_16gb.txt", 0.38)]
    [InlineData("memory_pressure_Q_m5.txt", 0.63)]
    public void FreePart_MemoryPressure_IsAFraction(string sample, double expected) =>
        Assert.Equal(expected, MacTextOutputs.FreePart(Samples.Read(sample)));

    [Fact]
    public void ThermalPressure_Recorded_IsNominal() =>
        Assert.Equal(ThermalState.Nominal, MacTextOutputs.ThermalPressure(Samples.Read("notifyutil_thermalpressurelevel_27.2.txt")));

    [Theory]
    [InlineData("com.apple.system.thermalpressurelevel 1", ThermalState.Fair)]
    [InlineData("com.apple.system.thermalpressurelevel 2\n", ThermalState.Serious)]
    [InlineData("com.apple.system.thermalpressurelevel 3", ThermalState.Critical)]
    [InlineData("com.apple.system.thermalpressurelevel 4", ThermalState.Critical)]
    [InlineData("com.apple.system.thermalpressurelevel 33", ThermalState.Unknown)]
    [InlineData("com.apple.system.thermalpressurelevel: Failed with code 9", ThermalState.Unknown)]
    [InlineData(null, ThermalState.Unknown)]
    internal void ThermalPressure_Levels_AreNamed(string? output, ThermalState expected) =>
        Assert.Equal(expected, MacTextOutputs.ThermalPressure(output));

    [Theory]
    [InlineData("pmset_g_therm_cpu_limit_intel.txt", ThermalState.Serious)]
    [InlineData("pmset_g_therm_nothing.txt", ThermalState.Unknown)]
    internal void CpuSpeedLimit_Recorded_IsNamed(string sample, ThermalState expected) =>
        Assert.Equal(expected, MacTextOutputs.CpuSpeedLimit(Samples.Read(sample)));
}
