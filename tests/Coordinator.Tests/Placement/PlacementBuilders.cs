using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Tests.Placement;

/// <summary>Small inputs for planner tests; each says only what matters to the test.</summary>
internal static class PlacementBuilders
{
    public const long Gigabyte = 1_000_000_000;

    public static ModelSpec Model(int layers = 12, long layerBytes = Gigabyte, long embeddingBytes = 0, int maxContext = 131072) => new(
        "model",
        "LlamaForCausalLM",
        "llama",
        [.. Enumerable.Repeat(new LayerSpec(layerBytes, layerBytes, 2048, 0, 0), layers)],
        embeddingBytes,
        embeddingBytes,
        0,
        false,
        4096,
        14336,
        32,
        8,
        128,
        32000,
        maxContext,
        4.5,
        layers * layerBytes * 8 / 4.5,
        layers * layerBytes * 8 / 4.5);

    public static NodeCapacity Node(string id, long usableBytes, string chip = "Apple M4 Pro", string? excluded = null, params string[] engines) => new(
        id,
        "machine-" + id,
        chip,
        20,
        14,
        usableBytes * 4 / 3,
        usableBytes,
        0,
        engines.Length == 0 ? ["builtin"] : [.. engines],
        excluded);

    public static ClusterSnapshot Cluster(params NodeCapacity[] nodes) => new([.. nodes], []);

    public static PlacementRequest Request(int context = 1024, int concurrency = 1, params string[] nodes) =>
        new(PlacementObjective.Latency, context, concurrency, "auto", [.. nodes], []) { UseAllNodes = nodes.Length > 0 };

    public static PlacementRequest WithLayers(this PlacementRequest request, params (string Node, int First, int End)[] stages) =>
        request with { Layers = [.. stages.Select(stage => new ManualStage(stage.Node, stage.First, stage.End))] };

    public static PlacementPlan Planned(PlacementResult result) =>
        result is PlacementResult.Planned planned
            ? planned.Plan
            : throw new InvalidOperationException(((PlacementResult.Refused)result).Summary);

    public static ImmutableArray<Rejection> Rejections(PlacementResult result) => Assert.IsType<PlacementResult.Refused>(result).Rejections;
}
