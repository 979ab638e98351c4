using System.Collections.Immutable;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Planning;

/// <summary>What is asked of <c>POST /api/plans</c> and of the <c>plan</c> command line.</summary>
/// <param name="Spec">What a deployment would ask too; a context of 0 is the default one.</param>
/// <param name="Machines">Macs that one doesn't have; empty to plan on the cluster of now.</param>
/// <param name="Added">Also say what these would bring.</param>
internal sealed record PlanQuestion(DeploymentSpec Spec, ImmutableArray<Machine> Machines, ImmutableArray<Machine> Added)
{
    /// <summary>Where the request sets no context: enough for a chat.</summary>
    private const int DefaultContextTokens = 4096;

    public PlacementRequest ToRequest(ModelSpec model) => Spec.ToRequest(
        Spec.ContextTokens > 0 ? Spec.ContextTokens : Math.Min(DefaultContextTokens, model.MaxContextTokens > 0 ? model.MaxContextTokens : DefaultContextTokens));
}
