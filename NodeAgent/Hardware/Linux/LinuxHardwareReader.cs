using System.Collections.Immutable;
using System.Globalization;

namespace ClusterLlm.NodeAgent.Hardware.Linux;

/// <summary>Reads a Linux machine, or the container that the agent runs in, from /proc and /sys.</summary>
/// <param name="root">Empty on a real machine; a folder with recorded files in tests.</param>
internal sealed class LinuxHardwareReader(string root) : IHardwareReader
{
    /// <summary>
    /// Part of a limit that an engine may take; the rest is for the system, the runtime and page tables.
    /// Assumed, in line with the 0.9 that mlx-lm and exo warn at (mlx_lm/generate.py); replace when measured.
    /// </summary>
    private const double UsablePart = 0.9;

    private CpuTicks? _lastTicks;

    public ValueTask<MachineFacts> ReadFactsAsync(CancellationToken cancellationToken)
    {
        var memory = ReadMemory();
        var osName = ProcFiles.PrettyName(Read("/etc/os-release") ?? "");
        return ValueTask.FromResult(new MachineFacts(
            osName.Length > 0 ? osName : System.Runtime.InteropServices.RuntimeInformation.OSDescription,
            (Read("/sys/class/dmi/id/product_name") ?? Read("/proc/device-tree/model") ?? "").Trim().Trim('\0'),
            ProcFiles.CpuBrand(Read("/proc/cpuinfo") ?? ""),
            Environment.ProcessorCount,
            GpuCores: 0,
            memory.TotalBytes,
            memory.Usable,
            MachineIds.Hash(Read("/etc/machine-id") ?? Read("/var/lib/dbus/machine-id") ?? Environment.MachineName),
            ReadLinks()));
    }

    public ValueTask<MachineReading> ReadAsync(CancellationToken cancellationToken)
    {
        var memory = ReadMemory();
        var ticks = ProcFiles.CpuTime(Read("/proc/stat") ?? "");
        var load = _lastTicks is { } before && ticks is { } now ? CpuTicks.Load(before, now) : null;
        _lastTicks = ticks;
        return ValueTask.FromResult(new MachineReading(
            memory.TotalBytes,
            memory.Usable,
            memory.UsedBytes,
            LinuxPressure.FromFreePart(1 - ((double)memory.UsedBytes / memory.TotalBytes)),
            load,
            ReadTemperature(),
            ThermalState.Unknown));
    }

    /// <summary>
    /// Used on a machine: MemTotal − MemAvailable (proc_meminfo(5): what new work could have without swapping counts as free). Used in a
    /// limited group: memory.current − inactive_file, the working set as Kubernetes counts it.
    /// </summary>
    private LinuxMemory ReadMemory()
    {
        var memInfo = Read("/proc/meminfo") ?? "";
        var total = ProcFiles.MemInfoBytes(memInfo, "MemTotal")
            ?? throw new InvalidDataException("/proc/meminfo has no line MemTotal: the machine's memory is unknown.");
        return CgroupMemory.Read(Read, total) is { } group
            ? new LinuxMemory(group.LimitBytes, group.UsedBytes, Usable(group.LimitBytes, group.Source))
            : new LinuxMemory(
                total,
                total - (ProcFiles.MemInfoBytes(memInfo, "MemAvailable") ?? ProcFiles.MemInfoBytes(memInfo, "MemFree") ?? 0),
                Usable(total, "MemTotal"));
    }

    private static MemoryLimit Usable(long bytes, string source) =>
        new((long)(bytes * UsablePart), string.Create(CultureInfo.InvariantCulture, $"{UsablePart * 100:0} % of {source}"));

    /// <summary>The hottest zone; zones that say nothing, or less than freezing, are broken sensors or virtual ones.</summary>
    private double? ReadTemperature()
    {
        double? hottest = null;
        foreach (var zone in Folders("/sys/class/thermal", "thermal_zone*"))
        {
            if (double.TryParse(Read($"/sys/class/thermal/{zone}/temp"), CultureInfo.InvariantCulture, out var milliDegrees) && milliDegrees > 0)
            {
                hottest = Math.Max(hottest ?? 0, milliDegrees / 1000);
            }
        }

        return hottest;
    }

    private ImmutableArray<NetworkLink> ReadLinks() =>
    [
        .. Folders("/sys/class/net", "*").Order(StringComparer.Ordinal).Select(name => new NetworkLink(name, LinuxLinks.Kind(
            Read($"/sys/class/net/{name}/type"),
            isWireless: Directory.Exists($"{root}/sys/class/net/{name}/wireless"),
            Read($"/sys/class/net/{name}/uevent"))))
    ];

    private IEnumerable<string> Folders(string parent, string pattern) =>
        Directory.Exists(root + parent)
            ? Directory.EnumerateFileSystemEntries(root + parent, pattern).Select(path => Path.GetFileName(path)!)
            : [];

    /// <summary>A file's text, or <see langword="null"/> when it is missing, shut, or a sensor that answers with an error.</summary>
    private string? Read(string path)
    {
        try
        {
            return File.ReadAllText(root + path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private sealed record LinuxMemory(long TotalBytes, long UsedBytes, MemoryLimit Usable);
}
