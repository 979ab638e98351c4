using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>How far a deployment is.</summary>
internal enum DeploymentState
{
    /// <summary>Accepted; nothing has begun.</summary>
    Pending,

    /// <summary>Looks for a plan.</summary>
    Planning,

    /// <summary>Has a plan; the agents check whether they can run it.</summary>
    Preparing,

    /// <summary>The shards load.</summary>
    Loading,

    /// <summary>Answers requests.</summary>
    Ready,

    /// <summary>Should run, but parts of it are missing.</summary>
    Degraded,

    /// <summary>Its shards are being stopped.</summary>
    Stopping,

    /// <summary>Nothing of it runs, as wished.</summary>
    Stopped,

    /// <summary>Given up; the reason says why. A restart tries again.</summary>
    Failed,
}

/// <summary>What a person asked for.</summary>
/// <param name="Model">A model id or a folder, as it was given.</param>
internal sealed record DeploymentSpec(
    string Name,
    string Model,
    PlacementObjective Objective,
    int ContextTokens,
    int Concurrency,
    string Engine,
    ImmutableArray<string> Nodes,
    ImmutableArray<ManualStage> Layers,
    bool UseAllNodes)
{
    public PlanConstraints Constraints { get; init; } = PlanConstraints.None;

    /// <summary>The first planning takes the best plan even if it has failed too often.</summary>
    public bool RetryBadPlan { get; init; }

    /// <summary>The question to the planner.</summary>
    /// <param name="contextTokens">Of the request, or the default for the model; ≥ 1.</param>
    public PlacementRequest ToRequest(int contextTokens) => new(Objective, contextTokens, Concurrency, Engine, Nodes, Layers)
    {
        UseAllNodes = UseAllNodes || Constraints.UseAllNodes,
        ExcludedNodes = Constraints.ExcludedNodes,
        MemoryCapBytes = Constraints.MemoryCapBytes,
        ReserveBytes = Constraints.ReserveBytes,
        PinnedLayers = Constraints.PinnedLayers,
        PromptTokens = Constraints.PromptTokens,
        Link = Constraints.Link,
    };
}

/// <summary>A plan with what is needed to carry it out.</summary>
/// <param name="Paths">Node id to the model's folder there.</param>
internal sealed record DeploymentPlan(
    string ModelId,
    string Fingerprint,
    int LayerCount,
    int VocabularySize,
    PlacementPlan Placement,
    ImmutableSortedDictionary<string, string> Paths)
{
    /// <summary>See <see cref="FailedPlans.PlanFingerprint"/>; empty for plans of older versions.</summary>
    public string PlanFingerprint { get; init; } = "";

    public string RankZeroNodeId => Placement.Stages[^1].NodeId;
}

/// <summary>A model that should be running, or should stop, and how far that is.</summary>
/// <param name="Wanted">False once it shall stop.</param>
/// <param name="Generation">Rises with every new start: shards of older ones are stale.</param>
/// <param name="StateSince">When <paramref name="State"/> got its value.</param>
/// <param name="Failures">Launches that failed since it last ran well.</param>
/// <param name="RetryAt">Nothing is tried before this.</param>
/// <param name="BlockedBy">The nodes with which the last planning was refused: only other nodes make a new try worthwhile.</param>
internal sealed record Deployment(
    string Id,
    DeploymentSpec Spec,
    DateTimeOffset CreatedAt,
    bool Wanted,
    int Generation,
    DeploymentState State,
    DateTimeOffset StateSince,
    string? Reason,
    DeploymentPlan? Plan,
    int Failures,
    DateTimeOffset? RetryAt,
    string? BlockedBy)
{
    public string Name => Spec.Name;

    /// <summary>It holds, or will hold, memory on the nodes of its plan.</summary>
    public bool HoldsMemory => Plan is not null && State is not (DeploymentState.Stopped or DeploymentState.Failed);

    /// <summary>Nothing more will happen without a person.</summary>
    public bool IsOver => State is DeploymentState.Stopped or DeploymentState.Failed;
}
