using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Telemetry;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Rpc;

/// <summary>Maps descriptions and readings to the wire.</summary>
internal static class NodeMapping
{
    public static Proto.EngineDescription ToProto(this EngineFacts facts, string name) => new()
    {
        Name = name,
        Version = facts.Version,
        Available = facts.UnavailableReason is null,
        UnavailableReason = facts.UnavailableReason ?? "",
        ModelTypes = { facts.ModelTypes },
        Properties = { facts.Properties },
    };

    public static Proto.NodeTelemetry ToProto(this NodeReading reading, string nodeId)
    {
        var machine = reading.Machine.Machine;
        var telemetry = new Proto.NodeTelemetry
        {
            NodeId = nodeId,
            TakenAtUnixMs = reading.Machine.TakenAt.ToUnixTimeMilliseconds(),
            MemoryTotalBytes = (ulong)machine.MemoryTotalBytes,
            MemoryUsableBytes = (ulong)reading.Machine.Usable.Bytes,
            MemoryUsedBytes = (ulong)(machine.MemoryUsedBytes ?? 0),
            EngineMemoryBytes = (ulong)reading.EngineMemoryBytes,
            AgentResidentBytes = (ulong)reading.AgentResidentBytes,
            MemoryPressure = machine.Pressure.ToProto(),
            CpuLoad = machine.CpuLoad ?? 0,
            ThermalState = machine.Thermal.ToProto(),
            RunningRequests = (uint)reading.RunningRequests,
            QueuedRequests = (uint)reading.QueuedRequests,
            DecodeTokensPerSecond = reading.DecodeTokensPerSecond,
            PrefillTokensPerSecond = reading.PrefillTokensPerSecond,
            Shards = { reading.Shards.Select(ToProto) },
        };
        if (machine.TemperatureCelsius is { } temperature)
        {
            telemetry.TemperatureCelsius = temperature;
        }

        if (reading.PowerWatts is { } watts)
        {
            telemetry.PowerWatts = watts;
        }

        return telemetry;
    }

    public static Proto.LinkKind ToProto(this LinkKind kind) => kind switch
    {
        LinkKind.Loopback => Proto.LinkKind.Loopback,
        LinkKind.Ethernet => Proto.LinkKind.Ethernet,
        LinkKind.Wifi => Proto.LinkKind.Wifi,
        LinkKind.Thunderbolt => Proto.LinkKind.Thunderbolt,
        _ => Proto.LinkKind.Unspecified,
    };

    private static Proto.ShardTelemetry ToProto(ShardSample sample) => new()
    {
        DeploymentId = sample.Spec.DeploymentId,
        Rank = (uint)sample.Spec.Rank,
        Engine = sample.Spec.Engine,
        MemoryBytes = (ulong)sample.Reading.MemoryBytes,
        KvTokensUsed = (ulong)sample.Reading.KvTokensUsed,
        KvTokensCapacity = (ulong)sample.Reading.KvTokensCapacity,
        RunningRequests = (uint)sample.Reading.RunningRequests,
        QueuedRequests = (uint)sample.Reading.QueuedRequests,
        DecodeTokensPerSecond = sample.Reading.DecodeTokensPerSecond,
        PrefillTokensPerSecond = sample.Reading.PrefillTokensPerSecond,
        StageStepMs = sample.Reading.StageStep.TotalMilliseconds,
    };

    private static Proto.MemoryPressure ToProto(this MemoryPressure pressure) => pressure switch
    {
        MemoryPressure.Normal => Proto.MemoryPressure.Normal,
        MemoryPressure.Warning => Proto.MemoryPressure.Warning,
        MemoryPressure.Critical => Proto.MemoryPressure.Critical,
        _ => Proto.MemoryPressure.Unspecified,
    };

    private static Proto.ThermalState ToProto(this ThermalState state) => state switch
    {
        ThermalState.Nominal => Proto.ThermalState.Nominal,
        ThermalState.Fair => Proto.ThermalState.Fair,
        ThermalState.Serious => Proto.ThermalState.Serious,
        ThermalState.Critical => Proto.ThermalState.Critical,
        _ => Proto.ThermalState.Unspecified,
    };
}
