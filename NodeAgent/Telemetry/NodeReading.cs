using System.Collections.Immutable;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Hardware;

namespace ClusterLlm.NodeAgent.Telemetry;

/// <summary>How the node does at a moment: the machine, this process and its shards.</summary>
/// <param name="PowerWatts">Of CPU, GPU and neural engine, over the last second; <see langword="null"/> where it is not measured.</param>
internal sealed record NodeReading(MachineSample Machine, double? PowerWatts, long AgentResidentBytes, ImmutableArray<ShardSample> Shards)
{
    public long EngineMemoryBytes => Shards.Sum(shard => shard.Reading.MemoryBytes);

    public int RunningRequests => Shards.Sum(shard => shard.Reading.RunningRequests);

    public int QueuedRequests => Shards.Sum(shard => shard.Reading.QueuedRequests);

    public double DecodeTokensPerSecond => Shards.Sum(shard => shard.Reading.DecodeTokensPerSecond);

    public double PrefillTokensPerSecond => Shards.Sum(shard => shard.Reading.PrefillTokensPerSecond);
}

/// <summary>A running shard and its reading.</summary>
internal sealed record ShardSample(ShardSpec Spec, ShardReading Reading);
