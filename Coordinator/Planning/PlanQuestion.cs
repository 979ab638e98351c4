using System.Collections.Immutable;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Planning;

/// <summary>What is asked of <c>POST /api/plans</c> and of the <c>plan</c> command line.</summary>
/// <param name="Spec">What a deployment would ask too; a context of 0 is the default one.</param>
/// <param name="Machines">Macs that one doesn't have; empty to plan on the cluster of now.</param>
/// <param name="Added">Also say what these would bring.</param>
internal sealed record PlanQuestion(DeploymentSpec Spec, ImmutableArray<Machine> Machines, ImmutableArray<Machine> Added, PlanConstraints Constraints)
{
    /// <summary>Where the request sets no context: enough for a chat.</summary>
    private const int DefaultContextTokens = 4096;

    public PlacementRequest ToRequest(ModelSpec model) => new(
        Spec.Objective,
        Spec.ContextTokens > 0 ? Spec.ContextTokens : Math.Min(DefaultContextTokens, model.MaxContextTokens > 0 ? model.MaxContextTokens : DefaultContextTokens),
        Spec.Concurrency,
        Spec.Engine,
        Spec.Nodes,
        Spec.Layers)
    {
        UseAllNodes = Spec.UseAllNodes || Constraints.UseAllNodes,
        ExcludedNodes = Constraints.ExcludedNodes,
        MemoryCapBytes = Constraints.MemoryCapBytes,
        ReserveBytes = Constraints.ReserveBytes,
        PinnedLayers = Constraints.PinnedLayers,
        PromptTokens = Constraints.PromptTokens,
        Link = Constraints.Link,
    };
}

/// <summary>Limits that a plan must keep; see <see cref="PlacementRequest"/>.</summary>
internal sealed record PlanConstraints(
    bool UseAllNodes,
    ImmutableArray<string> ExcludedNodes,
    ImmutableDictionary<string, long> MemoryCapBytes,
    long ReserveBytes,
    ImmutableArray<ManualStage> PinnedLayers,
    int PromptTokens,
    string? Link)
{
    public static PlanConstraints None { get; } = new(false, [], ImmutableDictionary<string, long>.Empty, 0, [], 512, null);
}
