using ClusterLlm.NodeAgent.Engines;

namespace ClusterLlm.NodeAgent.Shards;

/// <summary>Where a shard is in its life.</summary>
internal enum ShardPhase
{
    Loading,

    /// <summary>Loaded; waits for its neighbours.</summary>
    Connecting,
    Ready,
    Stopping,
    Stopped,
    Failed,
}

/// <summary>A shard at a moment.</summary>
/// <param name="Reason">Why it failed or stopped; empty otherwise.</param>
internal sealed record ShardStatus(ShardSpec Spec, ShardPhase Phase, long LoadedBytes, long TotalBytes, string Reason)
{
    /// <summary>Nothing of it is left in memory.</summary>
    public bool HasEnded => Phase is ShardPhase.Stopped or ShardPhase.Failed;
}
