using System.Collections.Immutable;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Planning;

/// <summary>The body of <c>POST /api/plans</c>, for the OpenAPI document: a deployment request, and machines.</summary>
/// <param name="Machines">Plan for these instead of the cluster's nodes.</param>
/// <param name="Add">Also say what these would bring.</param>
internal sealed record PlanQuestionContract(
    string Model,
    string? Name,
    PlacementObjective? Objective,
    int? ContextTokens,
    int? Concurrency,
    string? Engine,
    ImmutableArray<string>? Nodes,
    Dictionary<string, int[]>? Layers,
    bool? UseAllNodes,
    ImmutableArray<string>? ExcludeNodes,
    Dictionary<string, long>? MemoryCapBytes,
    long? ReserveBytes,
    Dictionary<string, int[]>? PinnedLayers,
    int? PromptTokens,
    string? Link,
    bool? RetryBadPlan,
    ImmutableArray<MachineContract>? Machines,
    ImmutableArray<MachineContract>? Add)
    : DeploymentRequestContract(
        Model, Name, Objective, ContextTokens, Concurrency, Engine, Nodes, Layers, UseAllNodes, ExcludeNodes, MemoryCapBytes, ReserveBytes, PinnedLayers, PromptTokens, Link, RetryBadPlan);

/// <summary>A machine that one need not have.</summary>
/// <param name="Memory">Gigabytes.</param>
/// <param name="Usable">Gigabytes that the GPU may wire. Default: a share of the memory.</param>
/// <param name="Count">So many of it. Default 1.</param>
internal sealed record MachineContract(string? Chip, double Memory, string? Link, int? Count, int? GpuCores, double? Usable);
