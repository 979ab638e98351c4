using System.Collections.Immutable;

namespace ClusterLlm.NodeAgent.Hardware;

/// <summary>What a machine is; changes only with its hardware, its system or its limits.</summary>
/// <param name="OperatingSystem">For example <c>macOS 26.6.2</c> or <c>Debian GNU/Linux 12</c>.</param>
/// <param name="HardwareModel">For example <c>Mac16,11</c>; empty when unknown.</param>
/// <param name="Chip">For example <c>Apple M4 Pro</c>; empty when unknown.</param>
/// <param name="GpuCores">0 when there is none that an engine can use.</param>
/// <param name="MemoryTotalBytes">What the machine, or the container that the agent runs in, has.</param>
/// <param name="MachineId">Hash of the machine's own id: the same for all agents of one machine.</param>
internal sealed record MachineFacts(
    string OperatingSystem,
    string HardwareModel,
    string Chip,
    int CpuCores,
    int GpuCores,
    long MemoryTotalBytes,
    MemoryLimit MemoryUsable,
    string MachineId,
    ImmutableArray<NetworkLink> Links);

/// <summary>How many bytes an engine may use, and who says so.</summary>
/// <param name="Source">For example <c>iogpu.wired_limit_mb</c> or <c>cgroup memory.max</c>.</param>
internal sealed record MemoryLimit(long Bytes, string Source);

/// <summary>A network interface and what it runs over.</summary>
internal sealed record NetworkLink(string Interface, LinkKind Kind);

/// <summary>What a network interface runs over.</summary>
internal enum LinkKind
{
    Unknown,
    Loopback,
    Ethernet,
    Wifi,
    Thunderbolt,
}

/// <summary>How a machine does at a moment. What can't be read is absent, not zero.</summary>
/// <param name="MemoryUsedBytes">In use and not to be had back without writing to disk; each reader gives its formula.</param>
/// <param name="CpuLoad">Of all cores since the reading before, 0 to 1; <see langword="null"/> at the first reading.</param>
internal sealed record MachineReading(
    long MemoryTotalBytes,
    MemoryLimit MemoryUsable,
    long? MemoryUsedBytes,
    MemoryPressure Pressure,
    double? CpuLoad,
    double? TemperatureCelsius,
    ThermalState Thermal);

/// <summary>The system's own word on how short memory is.</summary>
internal enum MemoryPressure
{
    Unknown,
    Normal,
    Warning,
    Critical,
}

/// <summary>How much heat slows the machine down.</summary>
internal enum ThermalState
{
    Unknown,
    Nominal,
    Fair,
    Serious,
    Critical,
}
