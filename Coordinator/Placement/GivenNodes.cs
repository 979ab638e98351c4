using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Coordinator.Placement;

/// <summary>Plans whose nodes are given: cut in proportion to memory, or by hand. They are checked and rated like any other.</summary>
internal static class GivenNodes
{
    public static PlacementResult Plan(
        ClusterSnapshot cluster,
        ModelSpec model,
        PlacementRequest request,
        ImmutableArray<NodeCapacity> candidates,
        ImmutableArray<Rejection> rejections)
    {
        var engine = EngineChoice.Choose(candidates, request);
        if (engine.Name is null)
        {
            return new PlacementResult.Refused(engine.Reason, [new Rejection("cluster", "engine", engine.Reason), .. rejections]);
        }

        ImmutableArray<NodeCapacity> able = [.. candidates.Where(node => node.Engines.Contains(engine.Name))];
        rejections = rejections.AddRange(candidates.Except(able).Select(node => NodeSelection.WithoutEngine(node, engine.Name)));
        if (request.UseAllNodes && able.Length < candidates.Length)
        {
            return new PlacementResult.Refused(rejections[^1].Message, rejections);
        }

        var cuts = request.Layers.IsDefaultOrEmpty
            ? BalancedCuts.Find(able, model, request, EngineFacts.Of(engine.Name))
            : ManualPlan.Cuts(able, model, request, EngineMemory.For(engine.Name));
        return cuts.Problems.IsEmpty
            ? new PlacementResult.Planned(Build(cluster, model, request, able, engine, cuts.Stages, rejections))
            : new PlacementResult.Refused(cuts.Problems[0].Message, [.. cuts.Problems, .. rejections]);
    }

    private static PlacementPlan Build(
        ClusterSnapshot cluster,
        ModelSpec model,
        PlacementRequest request,
        ImmutableArray<NodeCapacity> able,
        EngineChoice choice,
        ImmutableArray<ManualStage> cuts,
        ImmutableArray<Rejection> rejections)
    {
        var engine = EngineFacts.Of(choice.Name!);
        var machines = able.Where(node => cuts.Any(cut => cut.NodeId == node.NodeId)).Select(node => node.MachineId).Distinct().Count();
        var batches = engine.HasMicroBatches ? Math.Max(1, machines) : 1;
        var plan = new PlacementPlan(
            choice.Name!,
            choice.Reason,
            PlanAssembly.Stages(model, engine, cuts, request.ContextTokens, request.Concurrency),
            request.ContextTokens,
            request.Concurrency,
            batches,
            rejections);
        return cluster.Knowledge is not { } knowledge
            ? plan
            : plan with
            {
                Predictions = new PlanPredictor(cluster, knowledge, model, request).Predict(engine, cuts, request.ContextTokens, batches),
                Assumptions = Assumptions.Of(cluster, knowledge, able.Where(node => cuts.Any(cut => cut.NodeId == node.NodeId)), request),
            };
    }
}
