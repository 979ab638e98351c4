using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Coordinator.Placement.Search;

/// <summary>The best plan on one engine, and what it is compared with.</summary>
/// <param name="Without">By node of the plan: the best plan without it; <see langword="null"/> when nothing fits.</param>
internal sealed record SearchOutcome(
    Candidate Best,
    Candidate? Single,
    ImmutableArray<(int Node, Candidate? Plan)> Without,
    ImmutableArray<Candidate> RunnersUp,
    PlanOptimality Optimality);

/// <summary>Runs the search of an objective on one engine.</summary>
internal static class EngineSearch
{
    private const int MostRunnersUp = 3;

    public static SearchOutcome? Find(ProblemBuilder builder, EngineFacts engine, ModelSpec model, PlacementRequest request)
    {
        var machines = engine.HasMicroBatches ? builder.Nodes.Select(node => node.MachineId).Distinct().Count() : 1;
        IObjectiveSearch search = request.Objective switch
        {
            PlacementObjective.Throughput => new ThroughputObjective(builder, request, machines),
            PlacementObjective.Capacity => new CapacityObjective(builder, request, Math.Max(request.ContextTokens, MostTokens(model)), machines),
            _ => new LatencyObjective(builder, request, machines),
        };
        if (search.Find(SearchLimit.None) is not { } best)
        {
            return null;
        }

        return new SearchOutcome(
            best,
            best.Plan.Cuts.Length == 1 ? best : search.Find(new SearchLimit(-1, 1)),
            [.. best.Plan.Cuts.Select(cut => (cut.Node, search.Find(new SearchLimit(cut.Node, 0))))],
            RunnersUp(search, best, Math.Min(builder.Nodes.Length, model.LayerCount)),
            Optimality(search, best, builder.Nodes.Length));
    }

    /// <summary>Models whose files don't say are planned up to a million tokens.</summary>
    public static int MostTokens(ModelSpec model) => model.MaxContextTokens > 0 ? model.MaxContextTokens : 1 << 20;

    private static ImmutableArray<Candidate> RunnersUp(IObjectiveSearch search, Candidate best, int mostNodes)
    {
        // Around the best number of nodes: further away plans only get worse.
        var count = best.Plan.Cuts.Length;
        return
        [
            .. Enumerable.Range(1, mostNodes).Where(nodes => nodes != count && Math.Abs(nodes - count) <= MostRunnersUp)
                .Select(nodes => search.Find(new SearchLimit(-1, nodes))).OfType<Candidate>()
                .Where(candidate => candidate.Plan.Cuts.Length != count)
                .OrderBy(candidate => candidate.Score).Take(MostRunnersUp),
        ];
    }

    private static PlanOptimality Optimality(IObjectiveSearch search, Candidate best, int nodes)
    {
        if (search.IsExact)
        {
            return new PlanOptimality(true, 0, $"Exact: no subset, order or cut of the {nodes} candidate node(s) does better by this prediction.");
        }

        var bound = search.Bound();
        var gap = bound == 0 ? 0 : Math.Max(0, Math.Abs((best.Score - bound) / bound));
        return new PlanOptimality(
            false, gap, FormattableString.Invariant($"Searched: at most {100 * gap:0.0} % from the best that any plan on the {nodes} nodes could do."));
    }
}
