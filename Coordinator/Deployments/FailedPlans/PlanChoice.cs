using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Deployments.FailedPlans;

/// <summary>The best plan that is not known to be bad. Pure.</summary>
/// <remarks>
/// The next best plan is one without a node of the bad one, or with another engine: the same nodes with one layer more here and one less there would fail for the same
/// reason. A plan that a person has cut, or that has to use all nodes, has no such neighbours.
/// </remarks>
internal static class PlanChoice
{
    /// <summary>The constraint of rejections that tell of a bad plan.</summary>
    public const string Constraint = "failed-plan";

    /// <summary>So many bad plans for one request mean that the model or the cluster is at fault, not the plan.</summary>
    private const int MostBadPlans = 3;

    /// <param name="findBad">The failures of a plan that is bad; <see langword="null"/> for all others.</param>
    public static PlacementResult Choose(ClusterSnapshot cluster, ModelSpec model, PlacementRequest request, Func<PlacementPlan, PlanFailure?> findBad)
    {
        var bad = new List<(PlacementPlan Plan, PlanFailure Failure)>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        ImmutableArray<PlacementRequest> level = [request];
        while (!level.IsEmpty)
        {
            var results = level.Where(each => seen.Add(Key(each))).Select(each => (Request: each, Result: PlacementPlanner.Plan(cluster, model, each))).ToArray();
            if (bad.Count == 0 && results[0].Result is PlacementResult.Refused)
            {
                return results[0].Result;
            }

            var planned = results.Where(each => each.Result is PlacementResult.Planned)
                .Select(each => (each.Request, ((PlacementResult.Planned)each.Result).Plan, Failure: findBad(((PlacementResult.Planned)each.Result).Plan))).ToArray();
            if (planned.Where(each => each.Failure is null).ToArray() is { Length: > 0 } good)
            {
                var best = good.MaxBy(each => Value(each.Plan, request.Objective));
                return new PlacementResult.Planned(bad.Count == 0 ? best.Plan : Explained(best.Plan, request, best.Request, bad));
            }

            bad.AddRange(planned.Select(each => (each.Plan, each.Failure!)).Where(each => bad.All(known => known.Failure.Fingerprint != each.Item2.Fingerprint)));
            level = bad.Count >= MostBadPlans ? [] : [.. planned.SelectMany(each => Neighbours(cluster, request, each.Request, each.Plan))];
        }

        return Refuse(request, bad);
    }

    private static IEnumerable<PlacementRequest> Neighbours(ClusterSnapshot cluster, PlacementRequest original, PlacementRequest request, PlacementPlan plan)
    {
        if (!original.Layers.IsDefaultOrEmpty)
        {
            yield break;
        }

        if (!original.UseAllNodes)
        {
            foreach (var stage in plan.Stages.Where(stage => original.PinnedLayers.All(pin => pin.NodeId != stage.NodeId)))
            {
                yield return request with { ExcludedNodes = [.. request.ExcludedNodes.Append(stage.NodeId).Order(StringComparer.Ordinal)] };
            }
        }

        if (original.Engine is "auto" or "" && request.Engine == original.Engine)
        {
            foreach (var engine in cluster.Nodes.SelectMany(node => node.Engines).Distinct().Order(StringComparer.Ordinal).Where(name => name != plan.Engine))
            {
                yield return request with { Engine = engine };
            }
        }
    }

    private static string Key(PlacementRequest request) => $"{request.Engine} {string.Join(' ', request.ExcludedNodes)}";

    private static double Value(PlacementPlan plan, PlacementObjective objective) => objective switch
    {
        PlacementObjective.Throughput => plan.Predictions?.AggregateTokensPerSecond.Value ?? 0,
        PlacementObjective.Capacity => plan.ContextTokens,
        _ => plan.Predictions?.DecodeTokensPerSecond.Value ?? 0,
    };

    private static PlacementPlan Explained(
        PlacementPlan plan, PlacementRequest original, PlacementRequest request, List<(PlacementPlan Plan, PlanFailure Failure)> bad)
    {
        var leftOut = request.ExcludedNodes.Except(original.ExcludedNodes).ToHashSet(StringComparer.Ordinal);
        return plan with
        {
            EngineReason = request.Engine == original.Engine ? plan.EngineReason : $"{plan.Engine} is the engine of the next best plan, after one that has failed.",
            Rejections =
            [
                .. bad.Select(each => Rejected(each.Plan, each.Failure)),
                .. plan.Rejections.Select(each => leftOut.Contains(each.Subject) && each.Constraint == "request"
                    ? each with { Constraint = Constraint, Message = $"Node {each.Subject} is left out, because a plan with it has failed." }
                    : each),
            ],
        };
    }

    private static PlacementResult.Refused Refuse(PlacementRequest request, List<(PlacementPlan Plan, PlanFailure Failure)> bad)
    {
        var last = bad.MaxBy(each => each.Failure.LastAt).Failure;
        var other = !request.Layers.IsDefaultOrEmpty ? "Other layers are another plan."
            : bad.Count >= MostBadPlans ? $"{bad.Count} plans for this request have failed, so no other one is tried."
            : "There is no other plan for this request.";
        return new PlacementResult.Refused(
            $"{last.Describe()} {other} {last.Remedy()}", [.. bad.Select(each => Rejected(each.Plan, each.Failure))]);
    }

    private static Rejection Rejected(PlacementPlan plan, PlanFailure failure) =>
        new(string.Join('+', plan.Stages.Select(stage => stage.NodeId)), Constraint, failure.Describe());
}
