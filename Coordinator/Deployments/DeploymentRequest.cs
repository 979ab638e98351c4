using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>The body of <c>POST /api/deployments</c>, for the OpenAPI document.</summary>
/// <param name="Model">A model id of <c>GET /api/models</c>, or a folder that the nodes can see.</param>
/// <param name="Name">What clients ask for at <c>/v1</c>; a DNS label. Default: made from the model's id.</param>
/// <param name="ContextTokens">Longest sequence, prompt and answer together. Default: the model's, at most 4096.</param>
/// <param name="Concurrency">Sequences at once. Default 4.</param>
/// <param name="Engine">Default <c>auto</c>.</param>
/// <param name="Nodes">Only these nodes.</param>
/// <param name="Layers">A manual plan: node id to [first, end) in stage order.</param>
/// <param name="UseAllNodes">Every node of <c>nodes</c> gets at least one layer.</param>
/// <param name="ExcludeNodes">Not these nodes.</param>
/// <param name="MemoryCapBytes">Node id to the bytes that may be used there at most.</param>
/// <param name="ReserveBytes">Bytes that stay free on each node.</param>
/// <param name="PinnedLayers">Node id to [first, end) that must lie there, whatever else it holds.</param>
/// <param name="PromptTokens">Length of the prompt that the time to the first token is predicted for. Default 512.</param>
/// <param name="RetryBadPlan">A plan that has failed too often is tried again.</param>
/// <param name="Link">A kind of <c>GET /api/catalog/links</c> for pairs of nodes whose link has not been measured.</param>
internal record DeploymentRequestContract(
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
    bool? RetryBadPlan);

/// <summary>A request that was read, or all that is wrong with it, by field.</summary>
internal readonly record struct DeploymentRequestResult(DeploymentSpec? Spec, IReadOnlyDictionary<string, string[]> Errors);
