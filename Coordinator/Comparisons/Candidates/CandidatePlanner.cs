using System.Collections.Immutable;
using ClusterLlm.Coordinator.Comparisons.Workloads;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Comparisons.Candidates;

/// <summary>A candidate with its plans, or with the reason why it has none.</summary>
/// <param name="Plans">The same cuts for each shape of the cells, in their order; empty when it can't run one of them.</param>
internal sealed record PlannedCandidate(Candidate Candidate, ImmutableArray<PlacementPlan> Plans, string? Refusal);

/// <summary>What candidates are planned for.</summary>
/// <param name="Asked">The model as it was asked for: an id, or a folder.</param>
/// <param name="Cluster">As the nodes are; nodes that are not to take part are left out.</param>
/// <param name="Shapes">Of the deployments that a candidate needs one after the other.</param>
internal sealed record CandidateQuestion(string Asked, ClusterSnapshot Cluster, ModelSpec Model, ImmutableArray<CellShape> Shapes, ImmutableArray<string> Engines)
{
    /// <summary>The one that most requests at once run on.</summary>
    public CellShape Busiest => Shapes.MaxBy(shape => shape.Concurrency)!;

    /// <summary>The one that needs most memory.</summary>
    public CellShape Largest => Shapes.MaxBy(shape => shape.ReservedTokens)!;
}

/// <summary>Chooses what is compared. Pure.</summary>
internal static class CandidatePlanner
{
    private const int MostClusters = 4;

    /// <summary>Engines that are worth comparing: the asked ones; else all that a node has, but the builtin one only where there is no other.</summary>
    public static ImmutableArray<string> Engines(ClusterSnapshot cluster, ImmutableArray<string> asked)
    {
        string[] available = [.. cluster.Nodes.Where(node => node.Excluded is null).SelectMany(node => node.Engines).Distinct().Order(StringComparer.Ordinal)];
        return !asked.IsEmpty ? asked
            : available.Any(engine => engine != "builtin") ? [.. available.Where(engine => engine != "builtin")]
            : [.. available];
    }

    /// <summary>Every node by itself, with each engine.</summary>
    /// <param name="kind"><see cref="CandidateKind.Single"/> or <see cref="CandidateKind.Smaller"/>.</param>
    public static ImmutableArray<PlannedCandidate> Singles(CandidateQuestion question, CandidateKind kind) =>
    [
        .. from node in question.Cluster.Nodes
           from engine in question.Engines
           where node.Excluded is not null || node.Engines.Contains(engine)
           select Plan(question, kind, engine, [new ManualStage(node.NodeId, 0, question.Model.LayerCount)], "one node that could hold it all"),
    ];

    /// <summary>The planner's plans over several nodes: its choice for latency and for throughput, and its best with other numbers of nodes.</summary>
    /// <param name="question">With <see cref="ClusterSnapshot.Nodes"/> calibrated by what the single nodes were seen to do.</param>
    public static ImmutableArray<PlannedCandidate> Clusters(CandidateQuestion question)
    {
        var found = new List<(string Engine, ImmutableArray<ManualStage> Stages, string Origin)>();
        foreach (var engine in question.Engines)
        {
            var ours = new List<(string Engine, ImmutableArray<ManualStage> Stages, string Origin)>();
            foreach (var objective in (PlacementObjective[])[PlacementObjective.Latency, PlacementObjective.Throughput])
            {
                var shape = objective == PlacementObjective.Throughput ? question.Busiest : question.Largest;
                if (Search(question, shape, engine, objective) is { } plan)
                {
                    ours.Add((engine, Cuts(plan.Stages), $"the plan for {Verdicts(objective)}"));
                    if (objective == PlacementObjective.Throughput)
                    {
                        ours.AddRange((plan.Comparison?.RunnersUp ?? []).Select(one => (engine, Cuts(one.Stages), $"the best plan for {Verdicts(objective)} on {one.Stages.Length} nodes")));
                    }
                }
            }

            found.AddRange(ours.Where(one => one.Stages.Length > 1).DistinctBy(one => string.Join(',', one.Stages)).Take(MostClusters));
        }

        return [.. found.Select(one => Plan(question, CandidateKind.Cluster, one.Engine, one.Stages, one.Origin))];
    }

    public static ImmutableArray<PlannedCandidate> Manual(CandidateQuestion question, ImmutableArray<ManualStage> layers) => layers.IsEmpty
        ? []
        : [.. question.Engines.Select(engine => Plan(question, CandidateKind.Manual, engine, layers, "the plan that was given"))];

    /// <summary>Without those that are there already, numbered on.</summary>
    public static ImmutableArray<PlannedCandidate> New(ImmutableArray<PlannedCandidate> known, IEnumerable<PlannedCandidate> more)
    {
        var all = known.ToBuilder();
        foreach (var one in more.Where(one => all.All(other => other.Candidate.Signature != one.Candidate.Signature)).DistinctBy(one => one.Candidate.Signature))
        {
            all.Add(one with { Candidate = one.Candidate with { Id = FormattableString.Invariant($"c{all.Count + 1}") } });
        }

        return all.ToImmutable();
    }

    private static PlannedCandidate Plan(CandidateQuestion question, CandidateKind kind, string engine, ImmutableArray<ManualStage> stages, string origin)
    {
        var candidate = new Candidate("", kind, question.Asked, engine, stages, origin);
        var plans = ImmutableArray.CreateBuilder<PlacementPlan>();
        foreach (var shape in question.Shapes)
        {
            var request = new PlacementRequest(PlacementObjective.Balanced, shape.ContextTokens, shape.Concurrency, engine, [], stages) { UseAllNodes = true };
            switch (PlacementPlanner.Plan(question.Cluster, question.Model, request))
            {
                case PlacementResult.Planned planned:
                    plans.Add(planned.Plan);
                    break;
                case PlacementResult.Refused refused:
                    return new PlannedCandidate(candidate, [], Reason(refused, stages));
                case var other:
                    throw new InvalidOperationException($"The planner gave {other.GetType().Name}.");
            }
        }

        return new PlannedCandidate(candidate, plans.ToImmutable(), null);
    }

    /// <summary>What a node says of itself is a better reason than that no node is left.</summary>
    private static string Reason(PlacementResult.Refused refused, ImmutableArray<ManualStage> stages) =>
        refused.Rejections.FirstOrDefault(one => stages.Any(stage => stage.NodeId == one.Subject) && one.Constraint != "node")?.Message ?? refused.Summary;

    private static PlacementPlan? Search(CandidateQuestion question, CellShape shape, string engine, PlacementObjective objective)
    {
        // Agents of one machine share its speed, and then every cut is as good as another; as if they were apart, the cuts are those that a cluster would have.
        var apart = question.Cluster with { Nodes = [.. question.Cluster.Nodes.Select(node => node with { MachineId = node.NodeId })] };
        var request = new PlacementRequest(objective, shape.ContextTokens, shape.Concurrency, engine, [], []) { AlwaysPipelined = true };
        return PlacementPlanner.Plan(apart, question.Model, request) is PlacementResult.Planned planned ? planned.Plan : null;
    }

    private static ImmutableArray<ManualStage> Cuts(ImmutableArray<PlacementStage> stages) =>
        [.. stages.Select(stage => new ManualStage(stage.NodeId, stage.FirstLayer, stage.FirstLayer + stage.LayerCount))];

    private static string Verdicts(PlacementObjective objective) => Placement.Verdicts.Name(objective);
}
