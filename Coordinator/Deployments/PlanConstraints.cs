using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Deployments;

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
