using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Placement;

/// <summary>Checks a plan that a person wrote: every layer once, in order, on nodes that can hold it.</summary>
internal static class ManualPlan
{
    public static CutResult Cuts(
        ImmutableArray<NodeCapacity> nodes,
        ModelSpec model,
        PlacementRequest request,
        EngineMemory memory)
    {
        var problems = ImmutableArray.CreateBuilder<Rejection>();
        CheckRanges(model, request.Layers, problems);
        foreach (var stage in request.Layers)
        {
            CheckNode(nodes, model, request, memory, stage, problems);
        }

        return new CutResult(request.Layers, problems.ToImmutable());
    }

    private static void CheckRanges(ModelSpec model, ImmutableArray<ManualStage> stages, ImmutableArray<Rejection>.Builder problems)
    {
        var expected = 0;
        foreach (var stage in stages)
        {
            var range = $"layers of {stage.NodeId}: [{stage.FirstLayer}, {stage.EndLayer})";
            if (stage.FirstLayer >= stage.EndLayer)
            {
                problems.Add(new Rejection(stage.NodeId, "layers", $"{range} is empty; give a half-open range with at least one layer."));
            }
            else if (stage.FirstLayer != expected)
            {
                var fault = stage.FirstLayer > expected
                    ? $"leaves a gap: layers {expected} to {stage.FirstLayer - 1} are on no node"
                    : $"overlaps: it should start at layer {expected}";
                problems.Add(new Rejection(stage.NodeId, "layers", $"{range} {fault}.", expected, stage.FirstLayer));
            }

            expected = Math.Max(expected, stage.EndLayer);
        }

        if (expected != model.LayerCount)
        {
            problems.Add(new Rejection(
                model.Id,
                "layers",
                $"The plan ends at layer {expected}, but {model.Id} has {model.LayerCount} layers; the last stage must end at {model.LayerCount}.",
                model.LayerCount,
                expected));
        }

        foreach (var twice in stages.GroupBy(stage => stage.NodeId).Where(group => group.Count() > 1))
        {
            problems.Add(new Rejection(twice.Key, "layers", $"Node {twice.Key} has {twice.Count()} stages; a node holds one contiguous range."));
        }
    }

    private static void CheckNode(
        ImmutableArray<NodeCapacity> nodes,
        ModelSpec model,
        PlacementRequest request,
        EngineMemory memory,
        ManualStage stage,
        ImmutableArray<Rejection>.Builder problems)
    {
        var node = nodes.FirstOrDefault(candidate => candidate.NodeId == stage.NodeId);
        if (node is null)
        {
            problems.Add(new Rejection(
                stage.NodeId,
                "node",
                $"Node {stage.NodeId} of the manual plan can't take a shard; nodes that can: {string.Join(", ", nodes.Select(other => other.NodeId))}."));
            return;
        }

        var first = Math.Clamp(stage.FirstLayer, 0, model.LayerCount);
        var end = Math.Clamp(stage.EndLayer, first, model.LayerCount);
        var needed = memory.ForStage(model, first, end, request.ContextTokens, request.Concurrency);
        var free = NodeSelection.FreeBytes(node, request);
        if (needed.TotalBytes > free)
        {
            problems.Add(MemoryRefusal.ForStage(node.NodeId, first, end, needed, free));
        }
    }
}
