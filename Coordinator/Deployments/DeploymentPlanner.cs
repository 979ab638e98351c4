using System.Collections.Immutable;
using ClusterLlm.Coordinator.Calibration;
using ClusterLlm.Coordinator.Deployments.FailedPlans;
using ClusterLlm.Coordinator.Models;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>What came of planning.</summary>
internal abstract record PlanningResult
{
    private PlanningResult()
    {
    }

    internal sealed record Planned(DeploymentPlan Plan) : PlanningResult;

    internal sealed record Refused(string Summary, ImmutableArray<Rejection> Rejections) : PlanningResult;

    /// <summary>The model is not there, or can't be used.</summary>
    internal sealed record NoModel(ModelResolution Resolution, string Summary) : PlanningResult;
}

/// <summary>Plans a deployment on the cluster of now: finds the model, then asks the pure planner.</summary>
internal sealed class DeploymentPlanner(
    NodeRegistry nodes, DeploymentRegistry deployments, ModelResolver models, CalibrationRegistry calibrations, PlanFailures failures)
{
    /// <param name="except">The deployment that is planned again: its own memory counts as free.</param>
    public async Task<PlanningResult> PlanAsync(DeploymentSpec spec, string? except, CancellationToken cancellationToken)
    {
        var resolution = await models.ResolveAsync(spec.Model, cancellationToken);
        return resolution switch
        {
            ModelResolution.Found found => Plan(spec, found.Model, except),
            ModelResolution.Unknown unknown => new PlanningResult.NoModel(unknown, unknown.Message),
            ModelResolution.Broken broken => new PlanningResult.NoModel(broken, broken.Message),
            _ => throw new InvalidOperationException($"Unknown resolution {resolution.GetType().Name}."),
        };
    }

    private PlanningResult Plan(DeploymentSpec spec, ResolvedModel model, string? except)
    {
        var cluster = ClusterSnapshots.Build(nodes.Current.Values, [.. deployments.Current.Values], model, except, calibrations.Links, calibrations.Of);
        var context = spec.ContextTokens == 0 ? DefaultContext(model) : spec.ContextTokens;
        var request = spec.ToRequest(context) with { Nodes = except is null ? spec.Nodes : Remaining(spec.Nodes) };
        var retry = spec.RetryBadPlan && except is null;
        switch (PlanChoice.Choose(cluster, model.Description.ToSpec(), request, plan => retry ? null : FindBad(model, plan)))
        {
            case PlacementResult.Planned planned:
                var layers = (int)model.Description.LayerCount;
                if (SplitCheck.Problem(planned.Plan, layers) is { } problem)
                {
                    return new PlanningResult.Refused(problem, [new Rejection("plan", "layers", problem)]);
                }

                var paths = planned.Plan.Stages.ToImmutableSortedDictionary(
                    stage => stage.NodeId, stage => model.Holders[stage.NodeId].Path, StringComparer.Ordinal);
                return new PlanningResult.Planned(new DeploymentPlan(
                    model.ModelId, model.Description.Fingerprint, layers, (int)model.Description.VocabularySize, planned.Plan, paths)
                {
                    PlanFingerprint = Fingerprint(model, planned.Plan),
                });
            case PlacementResult.Refused refused:
                return new PlanningResult.Refused(refused.Summary, refused.Rejections);
            default:
                throw new InvalidOperationException("The planner gave neither a plan nor a refusal.");
        }
    }

    /// <summary>The failures of a plan that has failed too often; <see langword="null"/> for all others.</summary>
    public PlanFailure? FindBad(ResolvedModel model, PlacementPlan plan) => failures.FindBad(Fingerprint(model, plan));

    private string Fingerprint(ResolvedModel model, PlacementPlan plan) => PlanFingerprint.Of(
        model.Description.Fingerprint,
        plan,
        nodeId => nodes.Current.GetValueOrDefault(nodeId)?.Facts.Engines.FirstOrDefault(engine => engine.Name == plan.Engine)?.Version ?? "");

    // Planned again after a loss: what was named and is still there takes over, if anything of it is.
    private ImmutableArray<string> Remaining(ImmutableArray<string> named)
    {
        var known = nodes.Current;
        ImmutableArray<string> left = [.. named.Where(id => known.TryGetValue(id, out var node) && node.State == NodeState.Ready)];
        return left.IsEmpty ? named : left;
    }

    // Long enough to talk, short enough that the cache of a large model does not fill the machine.
    private static int DefaultContext(ResolvedModel model) =>
        (int)Math.Min(model.Description.MaxContextTokens == 0 ? 4096 : model.Description.MaxContextTokens, 4096);
}
