using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement.Prediction;
using ClusterLlm.Coordinator.Placement.Search;

namespace ClusterLlm.Coordinator.Placement;

/// <summary>Decides which node holds which layers. Pure: equal input gives an equal answer; ties go to the lower node id.</summary>
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
        if (!request.Layers.IsDefaultOrEmpty || request.Objective == PlacementObjective.Balanced || cluster.Knowledge is null)
        {
            return GivenNodes.Plan(cluster, model, request, candidates, rejections);
        }

        var (engines, refusal) = EngineChoice.Candidates(candidates, request);
        if (refusal is not null)
        {
            return new PlacementResult.Refused(refusal, [new Rejection("cluster", "engine", refusal), .. rejections]);
        }

        return Search(cluster, cluster.Knowledge, model, request, candidates, rejections, engines);
    }

    private static PlacementResult Search(
        ClusterSnapshot cluster,
        PlanningKnowledge knowledge,
        ModelSpec model,
        PlacementRequest request,
        ImmutableArray<NodeCapacity> candidates,
        ImmutableArray<Rejection> rejections,
        ImmutableArray<string> engines)
    {
        (EngineFacts Engine, ProblemBuilder Builder, SearchOutcome Outcome)? best = null;
        var refused = ImmutableArray.CreateBuilder<Rejection>();
        foreach (var name in engines)
        {
            var engine = EngineFacts.Of(name);
            ImmutableArray<NodeCapacity> able = [.. candidates.Where(node => node.Engines.Contains(name)).OrderBy(node => node.NodeId, StringComparer.Ordinal)];
            if (request.UseAllNodes && able.Length < candidates.Length)
            {
                refused.AddRange(candidates.Except(able).Select(node => NodeSelection.WithoutEngine(node, name)));
                continue;
            }

            if (request.PinnedLayers.FirstOrDefault(pin => able.All(node => node.NodeId != pin.NodeId)) is { } lost)
            {
                refused.Add(new Rejection(lost.NodeId, "layers", $"Layers are pinned to {lost.NodeId}, which can't take a shard with engine {name}."));
                continue;
            }

            var builder = new ProblemBuilder(cluster, knowledge, engine, able, model, request);
            if (EngineSearch.Find(builder, engine, model, request) is not { } outcome)
            {
                refused.AddRange(FitRefusal.Explain(able, model, request, engine));
            }
            else if (best is null || outcome.Best.Score < best.Value.Outcome.Best.Score)
            {
                best = (engine, builder, outcome);
            }
        }

        return best is { } found
            ? new PlacementResult.Planned(
                new PlanAssembly(cluster, knowledge, model, request, found.Engine, found.Builder.Nodes)
                    .Assemble(found.Outcome, EngineChoice.Explain(found.Engine.Name, engines, request), rejections))
            : new PlacementResult.Refused(refused[0].Message, [.. refused, .. rejections]);
    }
}
