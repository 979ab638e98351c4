using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Hardware.Linux;

namespace ClusterLlm.NodeAgent.Tests.Hardware.Linux;

public sealed class LinuxHardwareReaderTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("agent-linux");

    public LinuxHardwareReaderTests()
    {
        Write("proc/meminfo", "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\n");
        Write("proc/stat", "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 2 3 4\n");
        Write("proc/cpuinfo", "processor\t: 0\nmodel name\t: AMD EPYC 7B13\n");
        Write("etc/os-release", "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
        Write("etc/machine-id", "0123456789abcdef\n");
    }

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public async Task ReadFacts_RecordedMachine_FillsDescription()
    {
        Write("sys/class/net/lo/type", "772\n");
        Write("sys/class/net/eth0/type", "1\n");
        Write("sys/class/net/wlp3s0/type", "1\n");
        Write("sys/class/net/wlp3s0/uevent", "DEVTYPE=wlan\nINTERFACE=wlp3s0\n");
        Write("sys/class/net/thunderbolt0/type", "1\n");
        Write("sys/class/net/thunderbolt0/uevent", "INTERFACE=thunderbolt0\n");
        Write("sys/class/net/tun0/type", "65534\n");

        var facts = await Reader().ReadFactsAsync(TestContext.Current.CancellationToken);

        Assert.Equal(
            ("Debian GNU/Linux 12 (bookworm)", "", "AMD EPYC 7B13", 1_024_000),
            (facts.OperatingSystem, facts.HardwareModel, facts.Chip, facts.MemoryTotalBytes));
        Assert.Equal(new MemoryLimit(921_600, "90 % of MemTotal"), facts.MemoryUsable);
        Assert.DoesNotContain("0123456789abcdef", facts.MachineId, StringComparison.Ordinal);
        Assert.Equal(
            [
                new("eth0", LinkKind.Ethernet), new("lo", LinkKind.Loopback), new("thunderbolt0", LinkKind.Thunderbolt), new("tun0", LinkKind.Unknown),
                new("wlp3s0", LinkKind.Wifi),
            ],
            facts.Links);
    }

    [Fact]
    public async Task Read_TwoReadings_GiveMemoryLoadAndTemperature()
    {
        Write("sys/class/thermal/thermal_zone0/temp", "41000\n");
        Write("sys/class/thermal/thermal_zone1/temp", "57500\n");
        Write("sys/class/thermal/thermal_zone2/temp", "-274000\n");
        var reader = Reader();

        var first = await reader.ReadAsync(TestContext.Current.CancellationToken);
        Write("proc/stat", "cpu  160 0 100 840 0 0 0 0 0 0\n");
        var second = await reader.ReadAsync(TestContext.Current.CancellationToken);

        Assert.Null(first.CpuLoad);
        Assert.Equal(
            new MachineReading(1_024_000, new(921_600, "90 % of MemTotal"), 614_400, MemoryPressure.Normal, 0.6, 57.5, ThermalState.Unknown),
            second);
    }

    [Fact]
    public async Task Read_LimitedGroup_IsTheWholeMachine()
    {
        Write("proc/self/cgroup", "0::/\n");
        Write("sys/fs/cgroup/memory.max", "500000\n");
        Write("sys/fs/cgroup/memory.current", "480000\n");

        var reading = await Reader().ReadAsync(TestContext.Current.CancellationToken);

        Assert.Equal(
            (500_000, 480_000L, new MemoryLimit(450_000, "90 % of cgroup memory.max"), MemoryPressure.Warning),
            (reading.MemoryTotalBytes, reading.MemoryUsedBytes, reading.MemoryUsable, reading.Pressure));
    }

    [Fact]
    public async Task Read_NoMemInfo_SaysWhichFactIsMissing()
    {
        Write("proc/meminfo", "");

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => Reader().ReadAsync(TestContext.Current.CancellationToken).AsTask());

        Assert.Contains("MemTotal", error.Message, StringComparison.Ordinal);
    }

    private LinuxHardwareReader Reader() => new(_root.FullName);

    private void Write(string path, string text)
    {
        var file = Path.Combine(_root.FullName, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
