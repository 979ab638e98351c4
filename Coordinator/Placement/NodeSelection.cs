using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Placement;

/// <summary>Which nodes may take part, and why the others may not.</summary>
internal static class NodeSelection
{
    /// <summary>Candidates in the order that the request names them, else by node id.</summary>
    public static (ImmutableArray<NodeCapacity> Candidates, ImmutableArray<Rejection> Rejections) Select(
        ClusterSnapshot cluster,
        PlacementRequest request)
    {
        var wanted = Wanted(request);
        var ordered = wanted.IsEmpty
            ? cluster.Nodes.OrderBy(node => node.NodeId, StringComparer.Ordinal)
            : wanted.Select(id => cluster.Nodes.FirstOrDefault(node => node.NodeId == id)).OfType<NodeCapacity>();
        var candidates = ImmutableArray.CreateBuilder<NodeCapacity>();
        var rejections = ImmutableArray.CreateBuilder<Rejection>();
        foreach (var node in ordered)
        {
            if (request.ExcludedNodes.Contains(node.NodeId))
            {
                rejections.Add(new Rejection(node.NodeId, "request", $"Node {node.NodeId} is excluded by the request."));
            }
            else if (node.Excluded is not null)
            {
                rejections.Add(new Rejection(node.NodeId, "state", $"Node {node.NodeId} takes no shards: {node.Excluded}"));
            }
            else if (FreeBytes(node, request) <= 0)
            {
                rejections.Add(new Rejection(
                    node.NodeId,
                    "memory",
                    $"Node {node.NodeId} has nothing left: {node.MemoryUsableBytes} bytes usable, {node.MemoryCommittedBytes} promised to other deployments.",
                    1,
                    Math.Max(0, FreeBytes(node, request))));
            }
            else
            {
                candidates.Add(node);
            }
        }

        return (candidates.ToImmutable(), rejections.ToImmutable());
    }

    /// <summary>What a new shard may take on the node: the usable memory or the request's cap, less what is promised and what stays free.</summary>
    public static long FreeBytes(NodeCapacity node, PlacementRequest request)
    {
        var usable = request.MemoryCapBytes.TryGetValue(node.NodeId, out var cap) ? Math.Min(cap, node.MemoryUsableBytes) : node.MemoryUsableBytes;
        return usable - node.MemoryCommittedBytes - request.ReserveBytes;
    }

    public static Rejection WithoutEngine(NodeCapacity node, string engine) =>
        new(node.NodeId, "engine", $"Node {node.NodeId} has no engine {engine} for this model; it has {EngineChoice.Names(node)}.");

    private static ImmutableArray<string> Wanted(PlacementRequest request) =>
        !request.Layers.IsDefaultOrEmpty
            ? [.. request.Layers.Select(stage => stage.NodeId).Distinct()]
            : request.Nodes.IsDefault ? [] : request.Nodes;
}
