using ClusterLlm.NodeAgent.Engines;

namespace ClusterLlm.NodeAgent.Shards;

/// <summary>Comparison of shard specs.</summary>
internal static class ShardSpecs
{
    /// <summary>Equal in every field; records compare arrays by reference, so the ranks are compared one by one.</summary>
    public static bool Same(ShardSpec a, ShardSpec b) => a.Ranks.SequenceEqual(b.Ranks) && a with { Ranks = b.Ranks } == b;
}
