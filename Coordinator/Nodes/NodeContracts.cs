using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Nodes;

/// <summary>A node as the API shows it. Sizes in bytes, rates in tokens per second.</summary>
/// <param name="FreeBytes">Usable bytes that no deployment holds or is promised.</param>
/// <param name="PowerWatts">Of the machine's CPU, GPU and neural engine; <see langword="null"/> where it is not measured.</param>
/// <param name="TokensPerSecond">Decoded tokens per second over the last 10 s.</param>
internal sealed record NodeContract(
    string Id,
    string Name,
    string HostName,
    NodeState State,
    string? Reason,
    string Chip,
    string HardwareModel,
    string OperatingSystem,
    int CpuCores,
    int GpuCores,
    string MachineId,
    long MemoryTotalBytes,
    long UsableBytes,
    string UsableSource,
    long FreeBytes,
    long CommittedBytes,
    long? UsedBytes,
    long? EngineBytes,
    string? MemoryPressure,
    double? CpuLoad,
    double? TemperatureCelsius,
    string? ThermalState,
    double? PowerWatts,
    double TokensPerSecond,
    double PrefillTokensPerSecond,
    int RunningRequests,
    int QueuedRequests,
    ImmutableArray<EngineFact> Engines,
    ImmutableArray<AddressFact> Addresses,
    string AgentVersion,
    DateTimeOffset JoinedAt,
    DateTimeOffset LastSeenAt)
{
    /// <param name="committedBytes">Promised to deployments on this node.</param>
    public static NodeContract From(NodeSnapshot node, long committedBytes)
    {
        var facts = node.Facts;
        var reading = node.Reading;
        var held = Math.Max(committedBytes, reading?.EngineMemoryBytes ?? 0);
        return new NodeContract(
            node.NodeId,
            facts.DisplayName,
            facts.HostName,
            node.State,
            node.StateReason,
            facts.Chip,
            facts.HardwareModel,
            facts.OperatingSystem,
            facts.CpuCores,
            facts.GpuCores,
            facts.MachineId,
            reading?.MemoryTotalBytes ?? facts.MemoryTotalBytes,
            node.MemoryUsableBytes,
            facts.MemoryUsableSource,
            Math.Max(0, node.MemoryUsableBytes - held),
            committedBytes,
            reading?.MemoryUsedBytes,
            reading?.EngineMemoryBytes,
            reading?.MemoryPressure,
            reading?.CpuLoad,
            reading?.TemperatureCelsius,
            reading?.ThermalState,
            reading?.PowerWatts,
            node.IsUsable ? reading?.DecodeTokensPerSecond ?? 0 : 0,
            node.IsUsable ? reading?.PrefillTokensPerSecond ?? 0 : 0,
            node.IsUsable ? reading?.RunningRequests ?? 0 : 0,
            node.IsUsable ? reading?.QueuedRequests ?? 0 : 0,
            facts.Engines,
            facts.Addresses,
            facts.AgentVersion,
            node.JoinedAt,
            node.LastSeenAt);
    }
}

/// <summary>Memory that deployments hold or are promised on each node.</summary>
internal interface ICommittedMemory
{
    /// <summary>Bytes on <paramref name="nodeId"/>; 0 when nothing is planned there.</summary>
    long CommittedBytes(string nodeId);
}
