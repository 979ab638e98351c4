using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement.Prediction;
using ClusterLlm.Coordinator.Placement.Search;

namespace ClusterLlm.Coordinator.Placement;

/// <summary>Turns what the search found into a plan that says what it will do and why.</summary>
internal sealed class PlanAssembly(
    ClusterSnapshot cluster,
    PlanningKnowledge knowledge,
    ModelSpec model,
    PlacementRequest request,
    EngineFacts engine,
    ImmutableArray<NodeCapacity> nodes)
{
    private readonly PlanPredictor _predictor = new(cluster, knowledge, model, request);

    public PlacementPlan Assemble(SearchOutcome outcome, string engineReason, ImmutableArray<Rejection> rejections)
    {
        var best = Alternative(outcome.Best);
        var used = outcome.Best.Plan.Cuts.Select(cut => cut.Node).ToHashSet();
        return new PlacementPlan(
            engine.Name,
            engineReason,
            best.Stages,
            outcome.Best.ContextTokens,
            request.Concurrency,
            outcome.Best.MicroBatches,
            [.. rejections, .. LeftOut(outcome, used)])
        {
            Predictions = best.Predictions,
            Optimality = outcome.Optimality,
            Comparison = Compare(outcome, best),
            Assumptions = Assumptions.Of(cluster, knowledge, used.Order().Select(index => nodes[index]), request),
        };
    }

    /// <summary>Stages with their bytes, ranks counted from the last one.</summary>
    public static ImmutableArray<PlacementStage> Stages(
        ModelSpec model, EngineFacts engine, ImmutableArray<ManualStage> cuts, int contextTokens, int concurrency)
    {
        var memory = EngineMemory.For(engine.Name);
        return
        [
            .. cuts.Select((cut, index) =>
            {
                var needed = memory.ForStage(model, cut.FirstLayer, cut.EndLayer, contextTokens, concurrency);
                return new PlacementStage(
                    cut.NodeId,
                    cuts.Length - 1 - index,
                    cut.FirstLayer,
                    cut.EndLayer - cut.FirstLayer,
                    needed.WeightBytes,
                    needed.KvCacheBytes,
                    needed.WorkspaceBytes);
            }),
        ];
    }

    private PlanAlternative Alternative(Candidate candidate)
    {
        ImmutableArray<ManualStage> cuts = [.. candidate.Plan.Cuts.Select(cut => new ManualStage(nodes[cut.Node].NodeId, cut.First, cut.End))];
        return new PlanAlternative(
            Stages(model, engine, cuts, candidate.ContextTokens, request.Concurrency),
            _predictor.Predict(engine, cuts, candidate.ContextTokens, candidate.MicroBatches));
    }

    private PlanComparison Compare(SearchOutcome outcome, PlanAlternative best)
    {
        var single = outcome.Single is null ? null : outcome.Single == outcome.Best ? best : Alternative(outcome.Single);
        return new PlanComparison(
            single,
            [.. outcome.Without.Select(one => Removal(outcome.Best, nodes[one.Node].NodeId, one.Plan))],
            [.. outcome.RunnersUp.Select(Alternative)],
            Verdicts.Say(request, best, single, nodes.Length));
    }

    private NodeRemoval Removal(Candidate best, string nodeId, Candidate? without)
    {
        if (without is null)
        {
            return new NodeRemoval(nodeId, null, null, $"Without {nodeId} the model does not fit.");
        }

        var (value, was) = (Value(without), Value(best));
        var change = (value / was) - 1;
        var unit = request.Objective == PlacementObjective.Capacity ? "tokens of context" : "tok/s";
        return new NodeRemoval(
            nodeId, value, change, FormattableString.Invariant($"Without {nodeId}: {value:0.##} {unit} instead of {was:0.##} ({100 * change:+0;-0;0} %)."));
    }

    private double Value(Candidate candidate) =>
        request.Objective == PlacementObjective.Capacity ? candidate.ContextTokens : 1e3 / candidate.Score;

    private IEnumerable<Rejection> LeftOut(SearchOutcome outcome, HashSet<int> used)
    {
        for (var index = 0; index < nodes.Length; index++)
        {
            if (!used.Contains(index))
            {
                yield return new Rejection(
                    nodes[index].NodeId,
                    "objective",
                    $"Node {nodes[index].NodeId} is left out: with it the plan would not be better for {Verdicts.Name(request.Objective)} ({outcome.Optimality.Statement.ToLowerInvariant().TrimEnd('.')}).");
            }
        }
    }
}
