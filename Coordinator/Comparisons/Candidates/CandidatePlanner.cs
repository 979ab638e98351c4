using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Comparisons.Candidates;

/// <summary>A candidate with its plan, or with the reason why it has none.</summary>
internal sealed record PlannedCandidate(Candidate Candidate, PlacementPlan? Plan, string? Refusal);

/// <summary>What candidates are planned for.</summary>
/// <param name="Asked">The model as it was asked for: an id, or a folder.</param>
/// <param name="Cluster">As the nodes are; nodes that are not to take part are left out.</param>
/// <param name="ContextTokens">The longest cell's.</param>
/// <param name="Concurrency">The largest cell's.</param>
internal sealed record CandidateQuestion(string Asked, ClusterSnapshot Cluster, ModelSpec Model, int ContextTokens, int Concurrency, ImmutableArray<string> Engines);

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
                if (Search(question, engine, objective) is { } plan)
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
        var request = new PlacementRequest(PlacementObjective.Balanced, question.ContextTokens, question.Concurrency, engine, [], stages) { UseAllNodes = true };
        var candidate = new Candidate("", kind, question.Asked, engine, stages, origin);
        return PlacementPlanner.Plan(question.Cluster, question.Model, request) switch
        {
            PlacementResult.Planned planned => new PlannedCandidate(candidate, planned.Plan, null),
            PlacementResult.Refused refused => new PlannedCandidate(candidate, null, Reason(refused, stages)),
            var other => throw new InvalidOperationException($"The planner gave {other.GetType().Name}."),
        };
    }

    /// <summary>What a node says of itself is a better reason than that no node is left.</summary>
    private static string Reason(PlacementResult.Refused refused, ImmutableArray<ManualStage> stages) =>
        refused.Rejections.FirstOrDefault(one => stages.Any(stage => stage.NodeId == one.Subject) && one.Constraint != "node")?.Message ?? refused.Summary;

    private static PlacementPlan? Search(CandidateQuestion question, string engine, PlacementObjective objective)
    {
        // Agents of one machine share its speed, and then every cut is as good as another; as if they were apart, the cuts are those that a cluster would have.
        var apart = question.Cluster with { Nodes = [.. question.Cluster.Nodes.Select(node => node with { MachineId = node.NodeId })] };
        var request = new PlacementRequest(objective, question.ContextTokens, question.Concurrency, engine, [], []) { AlwaysPipelined = true };
        return PlacementPlanner.Plan(apart, question.Model, request) is PlacementResult.Planned planned ? planned.Plan : null;
    }

    private static ImmutableArray<ManualStage> Cuts(ImmutableArray<PlacementStage> stages) =>
        [.. stages.Select(stage => new ManualStage(stage.NodeId, stage.FirstLayer, stage.FirstLayer + stage.LayerCount))];

    private static string Verdicts(PlacementObjective objective) => Placement.Verdicts.Name(objective);
}
