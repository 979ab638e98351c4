using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Nodes;

/// <summary>How a node stands in the cluster.</summary>
internal enum NodeState
{
    /// <summary>Has joined; its agent has not been reached yet.</summary>
    Joining,

    /// <summary>Takes shards.</summary>
    Ready,

    /// <summary>Works, but takes no new shards.</summary>
    Draining,

    /// <summary>Silent for longer than its lease, or not reachable.</summary>
    Lost,
}

/// <summary>Whether the telemetry stream of a node is open.</summary>
internal enum NodeStreamState
{
    NeverOpened,
    Open,
    Down,
}

/// <summary>A node at one moment.</summary>
/// <param name="InstanceId">Of the agent's process: changes with every start.</param>
/// <param name="StateReason">Why it is in this state, where that is not plain; else <see langword="null"/>.</param>
/// <param name="LastSeenAt">Last renewal or reading, by the Coordinator's clock.</param>
/// <param name="StreamSince">When <paramref name="Stream"/> got its value.</param>
/// <param name="FromLoopback">The agent runs on the Coordinator's machine.</param>
internal sealed record NodeSnapshot(
    string NodeId,
    string InstanceId,
    string LeaseId,
    NodeFacts Facts,
    NodeState State,
    string? StateReason,
    bool Draining,
    bool FromLoopback,
    DateTimeOffset JoinedAt,
    DateTimeOffset LastSeenAt,
    ulong LeaseSequence,
    NodeStreamState Stream,
    DateTimeOffset StreamSince,
    NodeReading? Reading)
{
    /// <summary>What engines may use at most: the newest reading where there is one.</summary>
    public long MemoryUsableBytes => Reading?.MemoryUsableBytes ?? Facts.MemoryUsableBytes;

    /// <summary>Joined and not lost: calls to it make sense.</summary>
    public bool IsUsable => State is NodeState.Ready or NodeState.Draining;

    /// <summary>Two snapshots with equal links can share one connection.</summary>
    public string LinkKey => $"{InstanceId} {string.Join(' ', Facts.Addresses.Select(address => address.Url))}";
}

/// <summary>What a node's agent says about its machine at joining.</summary>
internal sealed record NodeFacts(
    string DisplayName,
    string HostName,
    string OperatingSystem,
    string HardwareModel,
    string Chip,
    int CpuCores,
    int GpuCores,
    long MemoryTotalBytes,
    long MemoryUsableBytes,
    string MemoryUsableSource,
    ImmutableArray<EngineFact> Engines,
    ImmutableArray<AddressFact> Addresses,
    string AgentVersion,
    string MachineId);

/// <summary>An engine on a node.</summary>
internal sealed record EngineFact(string Name, string Version, bool Available, string UnavailableReason, ImmutableArray<string> ModelTypes)
{
    /// <summary>By what it is slower than it could be, on purpose, for tests; <see langword="null"/> when it is not. All that is measured on it must say so.</summary>
    public string? ArtificialLimits { get; init; }
}

/// <summary>Where an agent listens.</summary>
internal sealed record AddressFact(string Url, string Kind, string Interface);

/// <summary>A telemetry reading of a node.</summary>
/// <param name="PowerWatts">Of the machine's CPU, GPU and neural engine; <see langword="null"/> where it is not measured.</param>
internal sealed record NodeReading(
    DateTimeOffset TakenAt,
    long MemoryTotalBytes,
    long MemoryUsableBytes,
    long MemoryUsedBytes,
    long EngineMemoryBytes,
    long AgentResidentBytes,
    string MemoryPressure,
    double CpuLoad,
    double? TemperatureCelsius,
    string ThermalState,
    double? PowerWatts,
    int RunningRequests,
    int QueuedRequests,
    double DecodeTokensPerSecond,
    double PrefillTokensPerSecond,
    ImmutableArray<ShardReading> Shards);

/// <summary>How one shard on a node does.</summary>
internal sealed record ShardReading(
    string DeploymentId,
    int Rank,
    string Engine,
    long MemoryBytes,
    long KvTokensUsed,
    long KvTokensCapacity,
    int RunningRequests,
    int QueuedRequests,
    double DecodeTokensPerSecond,
    double PrefillTokensPerSecond,
    double StageStepMs);
