using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Placement;

/// <summary>Checks the limits that a request sets, and the nodes' own numbers.</summary>
internal static class ConstraintCheck
{
    public static void Check(ClusterSnapshot cluster, ModelSpec model, PlacementRequest request, ImmutableArray<Rejection>.Builder problems)
    {
        if (request.ReserveBytes < 0)
        {
            problems.Add(new Rejection("reserveBytes", "memory", $"reserveBytes is {request.ReserveBytes}; give 0 or more.", 0, request.ReserveBytes));
        }

        if (request.PromptTokens < 1 || request.PromptTokens > Math.Max(request.ContextTokens, 512))
        {
            problems.Add(new Rejection(
                "promptTokens",
                "context",
                $"promptTokens is {request.PromptTokens}; give 1 to contextTokens ({request.ContextTokens}).",
                request.PromptTokens,
                request.ContextTokens));
        }

        CheckMemory(cluster, request, problems);
        CheckPins(cluster, model, request, problems);
        if (request.Link is { } link && cluster.Knowledge is { } knowledge && knowledge.Link(link) is null)
        {
            problems.Add(new Rejection(
                "link", "link", $"link is \"{link}\"; known links: {string.Join(", ", knowledge.Links.Select(known => known.Name))}."));
        }
    }

    private static void CheckMemory(ClusterSnapshot cluster, PlacementRequest request, ImmutableArray<Rejection>.Builder problems)
    {
        foreach (var node in cluster.Nodes.IsDefault ? [] : cluster.Nodes)
        {
            if (node.MemoryUsableBytes < 0 || node.MemoryUsableBytes > 1L << 50)
            {
                problems.Add(new Rejection(
                    node.NodeId,
                    "memory",
                    $"Node {node.NodeId} reports {node.MemoryUsableBytes} usable bytes; between 0 and 1 PiB is believable. Check its memory setting.",
                    0,
                    node.MemoryUsableBytes));
            }
        }

        foreach (var (nodeId, cap) in request.MemoryCapBytes.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (cap < 0)
            {
                problems.Add(new Rejection(nodeId, "memory", $"The memory cap of {nodeId} is {cap} bytes; give 0 or more.", 0, cap));
            }
            else if (cluster.Nodes.IsDefault || cluster.Nodes.All(node => node.NodeId != nodeId))
            {
                problems.Add(new Rejection(nodeId, "node", $"The memory cap names node {nodeId}, which is not in the cluster."));
            }
        }
    }

    private static void CheckPins(ClusterSnapshot cluster, ModelSpec model, PlacementRequest request, ImmutableArray<Rejection>.Builder problems)
    {
        var pins = request.PinnedLayers.IsDefault ? [] : request.PinnedLayers;
        foreach (var pin in pins)
        {
            if (pin.FirstLayer < 0 || pin.EndLayer <= pin.FirstLayer || pin.EndLayer > model.LayerCount)
            {
                problems.Add(new Rejection(
                    pin.NodeId, "layers", $"pinnedLayers of {pin.NodeId} is [{pin.FirstLayer}, {pin.EndLayer}); give a half-open range within [0, {model.LayerCount})."));
            }
            else if (cluster.Nodes.IsDefault || cluster.Nodes.All(node => node.NodeId != pin.NodeId))
            {
                problems.Add(new Rejection(pin.NodeId, "node", $"pinnedLayers names node {pin.NodeId}, which is not in the cluster."));
            }
        }

        foreach (var (left, right) in pins.SelectMany((left, index) => pins.Skip(index + 1).Select(right => (left, right))))
        {
            if (left.NodeId == right.NodeId || (left.FirstLayer < right.EndLayer && right.FirstLayer < left.EndLayer))
            {
                problems.Add(new Rejection(
                    right.NodeId, "layers", $"pinnedLayers of {left.NodeId} and {right.NodeId} overlap or name one node twice; give each node one range of its own."));
            }
        }
    }
}
