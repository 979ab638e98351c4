using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Placement;

/// <summary>Decides which node holds which layers. Pure: equal input gives an equal answer.</summary>
internal static class PlacementPlanner
{
    /// <summary>A plan for the request, or the reasons why there is none, with numbers.</summary>
    public static PlacementResult Plan(ClusterSnapshot cluster, ModelSpec model, PlacementRequest request)
    {
        var problems = RequestCheck.Check(cluster, model, request);
        if (problems.Length > 0)
        {
            return new PlacementResult.Refused(problems[0].Message, problems);
        }

        var (candidates, rejections) = NodeSelection.Select(cluster, request);
        var engine = EngineChoice.Choose(candidates, request);
        if (engine.Name is null)
        {
            return Refuse(engine.Reason, rejections, new Rejection("cluster", "engine", engine.Reason));
        }

        var able = candidates.Where(node => node.Engines.Contains(engine.Name)).ToImmutableArray();
        rejections = rejections.AddRange(candidates
            .Where(node => !able.Contains(node))
            .Select(node => NodeSelection.WithoutEngine(node, engine.Name)));
        var cuts = request.Layers.IsDefaultOrEmpty
            ? BalancedCuts.Find(able, model, request, EngineMemory.For(engine.Name))
            : ManualPlan.Cuts(able, model, request, EngineMemory.For(engine.Name));
        return cuts.Problems.IsEmpty
            ? new PlacementResult.Planned(Build(engine, able, cuts.Stages, model, request, rejections))
            : Refuse(cuts.Problems[0].Message, rejections, [.. cuts.Problems]);
    }

    private static PlacementResult.Refused Refuse(string summary, ImmutableArray<Rejection> earlier, params ReadOnlySpan<Rejection> more) =>
        new(summary, [.. more, .. earlier]);

    private static PlacementPlan Build(
        EngineChoice engine,
        ImmutableArray<NodeCapacity> nodes,
        ImmutableArray<ManualStage> cuts,
        ModelSpec model,
        PlacementRequest request,
        ImmutableArray<Rejection> rejections)
    {
        var memory = EngineMemory.For(engine.Name!);
        var stages = cuts.Select((cut, index) =>
        {
            var needed = memory.ForStage(model, cut.FirstLayer, cut.EndLayer, request.ContextTokens, request.Concurrency);
            return new PlacementStage(
                cut.NodeId,
                cuts.Length - 1 - index,
                cut.FirstLayer,
                cut.EndLayer - cut.FirstLayer,
                needed.WeightBytes,
                needed.KvCacheBytes,
                needed.WorkspaceBytes);
        }).ToImmutableArray();
        var machines = nodes.Where(node => cuts.Any(cut => cut.NodeId == node.NodeId)).Select(node => node.MachineId).Distinct().Count();
        return new PlacementPlan(
            engine.Name!,
            engine.Reason,
            stages,
            request.ContextTokens,
            request.Concurrency,
            Math.Max(1, machines),
            rejections);
    }
}

/// <summary>Layer ranges in stage order, or why there are none.</summary>
internal readonly record struct CutResult(ImmutableArray<ManualStage> Stages, ImmutableArray<Rejection> Problems);
