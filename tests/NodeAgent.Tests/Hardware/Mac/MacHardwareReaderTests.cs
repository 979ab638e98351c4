using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Hardware.Mac;

namespace ClusterLlm.NodeAgent.Tests.Hardware.Mac;

public sealed class MacHardwareReaderTests
{
    [Fact]
    public async Task ReadFacts_RecordedMac_FillsDescription()
    {
        var reader = new MacHardwareReader(M2Pro(), () => null);

        var facts = await reader.ReadFactsAsync(TestContext.Current.CancellationToken);

        Assert.Equal(
            ("macOS 26.6.2", "Mac17,2", "Apple M5", 10, 34_359_738_368),
            (facts.OperatingSystem, facts.HardwareModel, facts.Chip, facts.GpuCores, facts.MemoryTotalBytes));
        Assert.Equal(34_359_738_368 / 3 * 2, facts.MemoryUsable.Bytes);
        Assert.Equal(16, facts.MachineId.Length);
        Assert.Contains(new NetworkLink("en0", LinkKind.Wifi), facts.Links);
    }

    [Fact]
    public async Task Read_SecondReading_HasLoadBetweenTheTwo()
    {
        var ticks = new Queue<CpuTicks>([new(100, 900), new(150, 950)]);
        var reader = new MacHardwareReader(M2Pro(), () => ticks.Dequeue());

        var first = await reader.ReadAsync(TestContext.Current.CancellationToken);
        var second = await reader.ReadAsync(TestContext.Current.CancellationToken);

        Assert.Null(first.CpuLoad);
        Assert.Equal(0.5, second.CpuLoad);
        Assert.Equal((268_246L + 850_962 + 44_642) * 16_384, second.MemoryUsedBytes);
        Assert.Equal(ThermalState.Nominal, second.Thermal);
    }

    [Fact]
    public async Task Read_NoVmStat_UsesMemoryPressure()
    {
        var commands = M2Pro();
        commands.Outputs["/usr/bin/vm_stat"] = null;
        commands.Outputs["/usr/bin/memory_pressure"] = Samples.Read("memory_pressure_Q_m5.txt");

        var reading = await new MacHardwareReader(commands, () => null).ReadAsync(TestContext.Current.CancellationToken);

        Assert.Equal(34_359_738_368 * 0.37, (double)reading.MemoryUsedBytes!, 34_359_738.0);
    }

    [Fact]
    public async Task ReadFacts_OnlySysctlWorks_LeavesOtherFactsOut()
    {
        var commands = new RecordedCommands { Outputs = { ["/usr/sbin/sysctl"] = Samples.Read("sysctl_vm_m1_github_26.6.2.txt") } };

        var facts = await new MacHardwareReader(commands, () => null).ReadFactsAsync(TestContext.Current.CancellationToken);

        Assert.Equal(("VirtualMac2,1", "Apple M1 (Virtual)", 3, 0), (facts.HardwareModel, facts.Chip, facts.CpuCores, facts.GpuCores));
        Assert.Empty(facts.Links);
        Assert.Equal("90 % of hw.memsize", facts.MemoryUsable.Source);
    }

    [Fact]
    public async Task ReadFacts_NothingWorks_SaysWhichFactIsMissing()
    {
        var reader = new MacHardwareReader(new RecordedCommands(), () => null);

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => reader.ReadFactsAsync(TestContext.Current.CancellationToken).AsTask());

        Assert.Contains("hw.memsize", error.Message, StringComparison.Ordinal);
    }

    private static RecordedCommands M2Pro() => new()
    {
        Outputs =
        {
            ["/usr/sbin/sysctl"] = Samples.Read("sysctl_m2pro_32gb_26.5.1.txt"),
            ["/usr/sbin/system_profiler"] = Samples.Read("SPHardwareDataType_m5_26.6.2.json").TrimEnd()[..^1] + ","
                + Samples.Read("SPDisplaysDataType_m5_26.6.2.json").TrimStart()[1..],
            ["/usr/bin/sw_vers"] = Samples.Read("sw_vers_26.6.2.txt"),
            ["/usr/sbin/networksetup"] = Samples.Read("networksetup_listallhardwareports_m5max.txt"),
            ["/sbin/ifconfig"] = Samples.Read("ifconfig_m_laptop_14.6.txt"),
            ["/usr/bin/vm_stat"] = Samples.Read("vm_stat_32gb.txt"),
            ["/usr/bin/notifyutil"] = Samples.Read("notifyutil_thermalpressurelevel_27.2.txt"),
        },
    };

    private sealed class RecordedCommands : ICommandRunner
    {
        public Dictionary<string, string?> Outputs { get; } = [];

        public ValueTask<string?> RunAsync(string path, IReadOnlyList<string> arguments, CancellationToken cancellationToken) =>
            ValueTask.FromResult(Outputs.GetValueOrDefault(path));
    }
}
