using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Coordinator.Placement;

/// <summary>Explains why a model fits on no choice of nodes.</summary>
internal static class FitRefusal
{
    public static ImmutableArray<Rejection> Explain(
        ImmutableArray<NodeCapacity> nodes, ModelSpec model, PlacementRequest request, EngineFacts engine)
    {
        if (nodes.IsEmpty)
        {
            return [new Rejection("cluster", "engine", $"No node that may take a shard has engine {engine.Name} for this model.")];
        }

        var memory = EngineMemory.For(engine.Name);
        var whole = memory.ForStage(model, 0, model.LayerCount, request.ContextTokens, request.Concurrency);
        var needed = whole.TotalBytes + ((nodes.Length - 1) * memory.Workspace(model, request.ContextTokens, request.Concurrency, false));
        var free = nodes.Sum(node => NodeSelection.FreeBytes(node, request));
        var remedy = needed > free
            ? $"{MemoryRefusal.Gigabytes(needed - free)} are missing: add a node, raise a node's limit, or ask for a shorter context or fewer requests."
            : "The total would do, but no cut of whole layers fits the limits of the single nodes"
                + (request.UseAllNodes || !request.PinnedLayers.IsDefaultOrEmpty ? " and the nodes or layers that the request fixes." : "; raise a node's limit.");
        return
        [
            new Rejection(
                string.Join(", ", nodes.Select(node => node.NodeId)),
                "memory",
                $"{model.Id} with engine {engine.Name} needs {MemoryRefusal.Gigabytes(needed)} over {nodes.Length} node(s) for {request.ContextTokens} "
                    + $"tokens of context and {request.Concurrency} request(s) at once (weights {MemoryRefusal.Gigabytes(whole.WeightBytes)}, KV cache "
                    + $"{MemoryRefusal.Gigabytes(whole.KvCacheBytes)}), but {MemoryRefusal.Gigabytes(free)} is free. {remedy}",
                needed,
                free),
            .. nodes.Select(node => new Rejection(
                node.NodeId,
                "memory",
                $"Node {node.NodeId} has {MemoryRefusal.Gigabytes(NodeSelection.FreeBytes(node, request))} free; alone it would need {MemoryRefusal.Gigabytes(whole.TotalBytes)}.",
                whole.TotalBytes,
                NodeSelection.FreeBytes(node, request))),
        ];
    }
}
