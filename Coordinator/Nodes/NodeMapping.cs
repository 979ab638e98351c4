using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Nodes;

/// <summary>From the wire's types to the Coordinator's.</summary>
internal static class NodeMapping
{
    public static NodeFacts ToFacts(this NodeDescription node) => new(
        node.DisplayName.Length == 0 ? node.NodeId : node.DisplayName,
        node.HostName,
        node.OperatingSystem,
        node.HardwareModel,
        node.Chip,
        (int)Math.Min(node.CpuCores, int.MaxValue),
        (int)Math.Min(node.GpuCores, int.MaxValue),
        Bytes(node.MemoryTotalBytes),
        Bytes(node.MemoryUsableBytes),
        node.MemoryUsableSource,
        [
            .. node.Engines.Select(e => new EngineFact(e.Name, e.Version, e.Available, e.UnavailableReason, [.. e.ModelTypes])
            {
                ArtificialLimits = e.Properties.GetValueOrDefault("artificial limits"),
            }),
        ],
        [.. node.Addresses.Select(a => new AddressFact(a.Url, Word(a.Kind), a.Interface))],
        node.AgentVersion,
        node.MachineId.Length == 0 ? node.NodeId : node.MachineId);

    public static NodeReading ToReading(this NodeTelemetry telemetry) => new(
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(telemetry.TakenAtUnixMs, 0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())),
        Bytes(telemetry.MemoryTotalBytes),
        Bytes(telemetry.MemoryUsableBytes),
        Bytes(telemetry.MemoryUsedBytes),
        Bytes(telemetry.EngineMemoryBytes),
        Bytes(telemetry.AgentResidentBytes),
        Word(telemetry.MemoryPressure),
        Finite(telemetry.CpuLoad),
        telemetry.HasTemperatureCelsius ? Finite(telemetry.TemperatureCelsius) : null,
        Word(telemetry.ThermalState),
        telemetry.HasPowerWatts ? Finite(telemetry.PowerWatts) : null,
        (int)Math.Min(telemetry.RunningRequests, int.MaxValue),
        (int)Math.Min(telemetry.QueuedRequests, int.MaxValue),
        Finite(telemetry.DecodeTokensPerSecond),
        Finite(telemetry.PrefillTokensPerSecond),
        [.. telemetry.Shards.Select(ToReading)]);

    private static ShardReading ToReading(ShardTelemetry shard) => new(
        shard.DeploymentId,
        (int)Math.Min(shard.Rank, int.MaxValue),
        shard.Engine,
        Bytes(shard.MemoryBytes),
        Bytes(shard.KvTokensUsed),
        Bytes(shard.KvTokensCapacity),
        (int)Math.Min(shard.RunningRequests, int.MaxValue),
        (int)Math.Min(shard.QueuedRequests, int.MaxValue),
        Finite(shard.DecodeTokensPerSecond),
        Finite(shard.PrefillTokensPerSecond),
        Finite(shard.StageStepMs));

    private static string Word<T>(T value)
        where T : struct, Enum => Convert.ToInt32(value, System.Globalization.CultureInfo.InvariantCulture) == 0
            ? "unknown"
            : System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private static long Bytes(ulong value) => (long)Math.Min(value, long.MaxValue);

    // JSON has no NaN, and a rate below zero is no rate.
    private static double Finite(double value) => double.IsFinite(value) ? value : 0;
}
