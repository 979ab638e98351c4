using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Hardware.Mac;

namespace ClusterLlm.NodeAgent.Tests.Hardware.Mac;

public sealed class SysctlOutputTests
{
    [Theory]
    [InlineData("sysctl_a_intel_10.14.6_excerpt.txt", 17_179_869_184, 8, "Intel(R) Core(TM) i5-8279U CPU @ 2.40GHz", "")]
    [InlineData("sysctl_hw.memsize_m3ultra_512gb.txt", 549_755_813_888, null, "", "")]
    [InlineData("sysctl_intel_vm_github_15.7.9.txt", 15_032_385_536, 4, "Intel(R) Core(TM) i7-8700B CPU @ 3.20GHz", "Macmini6,2")]
    [InlineData("sysctl_m1pro_cpu_grep.txt", null, 10, "Apple M1 Pro", "")]
    [InlineData("sysctl_m2pro_32gb_26.5.1.txt", 34_359_738_368, null, "", "Mac14,12")]
    [InlineData("sysctl_m3ultra_96gb_excerpt.txt", 103_079_215_104, 28, "Apple M3 Ultra", "")]
    [InlineData("sysctl_m5max_perflevels.txt", null, 18, "", "")]
    [InlineData("sysctl_vm_m1_github_26.6.2.txt", 7_516_192_768, 3, "Apple M1 (Virtual)", "VirtualMac2,1")]
    public void Parse_RecordedMachine_ReadsWhatIsThere(string sample, long? memory, int? cores, string chip, string model)
    {
        var output = SysctlOutput.Parse(Samples.Read(sample));

        Assert.Equal(
            (memory, cores, chip, model),
            (output.Number("hw.memsize"), output.Cores(), output.Text("machdep.cpu.brand_string"), output.Text("hw.model")));
    }

    [Theory]
    [InlineData("sysctl_m2pro_32gb_26.5.1.txt", 0L)]
    [InlineData("sysctl_wired_limit_118000.txt", 118_000L)]
    [InlineData("sysctl_wired_limit_set_128gb.txt", 114_688L)]
    [InlineData("sysctl_vm_m1_github_26.6.2.txt", null)]
    public void Number_WiredLimit_IsTheNewestValue(string sample, long? expected) =>
        Assert.Equal(expected, SysctlOutput.Parse(Samples.Read(sample)).Number("iogpu.wired_limit_mb"));

    [Theory]
    [InlineData("kern.memorystatus_vm_pressure_level: 1", MemoryPressure.Normal)]
    [InlineData("kern.memorystatus_vm_pressure_level: 2", MemoryPressure.Warning)]
    [InlineData("kern.memorystatus_vm_pressure_level: 4", MemoryPressure.Critical)]
    [InlineData("kern.memorystatus_vm_pressure_level: 3", MemoryPressure.Unknown)]
    [InlineData(null, MemoryPressure.Unknown)]
    internal void Pressure_Levels_AreNamed(string? output, MemoryPressure expected) =>
        Assert.Equal(expected, SysctlOutput.Parse(output).Pressure());
}
