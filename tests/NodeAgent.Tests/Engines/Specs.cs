using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.Testing;

namespace ClusterLlm.NodeAgent.Tests.Engines;

/// <summary>Builds shard specs.</summary>
internal static class Specs
{
    public static ShardSpec Of(string deploymentId = "d", int generation = 1, int rank = 0, int worldSize = 1, string? model = null) => new(
        deploymentId,
        generation,
        "fake",
        model ?? TestModels.PathOf("llama-f32"),
        ModelFingerprint: "",
        rank,
        FirstLayer: 0,
        LayerCount: 2,
        ContextTokens: 64,
        MaxConcurrency: 2,
        [.. Enumerable.Range(0, worldSize).Select(index => new ShardRank($"node-{index}", new Uri($"http://127.0.0.1:{7430 + index}")))],
        MicroBatches: 1,
        PrefillChunkTokens: 0,
        MemoryLimitBytes: 0);
}
