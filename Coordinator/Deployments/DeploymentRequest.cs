using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>The body of <c>POST /api/deployments</c> and <c>POST /api/plans</c>, for the OpenAPI document.</summary>
/// <param name="Model">A model id of <c>GET /api/models</c>, or a folder that the nodes can see.</param>
/// <param name="Name">What clients ask for at <c>/v1</c>; a DNS label. Default: made from the model's id.</param>
/// <param name="ContextTokens">Longest sequence, prompt and answer together. Default: the model's, at most 4096.</param>
/// <param name="Concurrency">Sequences at once. Default 4.</param>
/// <param name="Engine">Default <c>auto</c>.</param>
/// <param name="Nodes">Only these nodes.</param>
/// <param name="Layers">A manual plan: node id to [first, end) in stage order.</param>
internal sealed record DeploymentRequestContract(
    string Model,
    string? Name,
    PlacementObjective? Objective,
    int? ContextTokens,
    int? Concurrency,
    string? Engine,
    ImmutableArray<string>? Nodes,
    Dictionary<string, int[]>? Layers);

/// <summary>A request that was read, or all that is wrong with it, by field.</summary>
internal readonly record struct DeploymentRequestResult(DeploymentSpec? Spec, IReadOnlyDictionary<string, string[]> Errors);
