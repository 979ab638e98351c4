using System.Collections.Immutable;
using ClusterLlm.Coordinator.Deployments.FailedPlans;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Planning;

/// <summary>Answers a question for a cluster and a model that are known. Pure.</summary>
internal static class PlanAnswers
{
    // What-if machines run MLX unless the question names another engine.
    private const string WhatIfEngine = "mlx";

    /// <param name="cluster">The cluster of now; not looked at when the question brings its own machines.</param>
    /// <param name="notes">To pass on.</param>
    /// <param name="findBad">The failures of a plan on the cluster that is bad; <see langword="null"/> for all others.</param>
    public static PlanAnswer Answer(
        PlanQuestion question, ClusterSnapshot cluster, ModelSpec model, ImmutableArray<string> notes, Func<PlacementPlan, PlanFailure?> findBad)
    {
        var engine = question.Spec.Engine is "auto" or "" ? WhatIfEngine : question.Spec.Engine;
        var nodes = question.Machines.IsEmpty ? cluster : WhatIfCluster.Build(question.Machines, engine);
        var request = question.ToRequest(model);
        var result = PlanChoice.Choose(nodes, model, request, plan => question.Machines.IsEmpty && !question.Spec.RetryBadPlan ? findBad(plan) : null);
        var added = question.Added.IsEmpty ? null : More(question, nodes, model, request, engine, (result as PlacementResult.Planned)?.Plan);
        return result switch
        {
            PlacementResult.Planned planned => new PlanAnswer.Planned(model, planned.Plan, added, notes),
            PlacementResult.Refused refused => new PlanAnswer.Refused(refused.Summary, refused.Rejections, added),
            _ => throw new InvalidOperationException($"The planner gave {result.GetType().Name}."),
        };
    }

    private static PlanWithMore More(
        PlanQuestion question, ClusterSnapshot nodes, ModelSpec model, PlacementRequest request, string engine, PlacementPlan? before)
    {
        var more = WhatIfCluster.Build(question.Added, engine).Nodes.Select((node, index) => node with
        {
            NodeId = $"added-{index + 1:00}",
            MachineId = $"added-machine-{index + 1:00}",
            Engines = [.. nodes.Nodes.SelectMany(other => other.Engines).Append(engine).Distinct()],
        });
        var open = request with { Layers = [], Nodes = request.Nodes.IsDefaultOrEmpty ? [] : [.. request.Nodes, .. more.Select(node => node.NodeId)] };
        if (PlacementPlanner.Plan(nodes with { Nodes = [.. nodes.Nodes, .. more] }, model, open) is not PlacementResult.Planned { Plan: var after })
        {
            return new PlanWithMore(null, $"Even with {question.Added.Length} more machine(s) it does not fit.");
        }

        return new PlanWithMore(after, before is null
            ? $"With {question.Added.Length} more machine(s) it fits: {Say(after)}."
            : $"With {question.Added.Length} more machine(s): {Say(after)}, instead of {Say(before)}.");
    }

    private static string Say(PlacementPlan plan) => FormattableString.Invariant(
        $"{plan.Predictions?.DecodeTokensPerSecond.Value:0.##} tok/s for one request, {plan.Predictions?.AggregateTokensPerSecond.Value:0.##} for {plan.MaxConcurrency}, up to {plan.Predictions?.LongestContextTokens} tokens of context on {plan.Stages.Length} node(s)");
}
