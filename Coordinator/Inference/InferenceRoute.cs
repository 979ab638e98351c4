namespace ClusterLlm.Coordinator.Inference;

/// <summary>Where requests for a deployment go, at one moment.</summary>
/// <param name="Name">The <c>model</c> that clients ask for.</param>
/// <param name="Ready">False while it loads, is degraded without a rank 0, stops or has failed.</param>
/// <param name="Phase">The deployment's state in words, for error texts.</param>
/// <param name="LoadedShare">0 to 1 while it loads.</param>
/// <param name="RankZeroNodeId">The node that answers; <see langword="null"/> while there is none.</param>
internal sealed record InferenceRoute(
    string DeploymentId,
    string Name,
    bool Ready,
    string Phase,
    string? Reason,
    double LoadedShare,
    string? RankZeroNodeId,
    string ModelId,
    int ContextTokens,
    int VocabularySize,
    DateTimeOffset CreatedAt);

/// <summary>Finds deployments by the name that clients use.</summary>
internal interface IInferenceRoutes
{
    /// <summary>The route for <paramref name="model"/>, or <see langword="null"/> when no deployment answers to that name.</summary>
    InferenceRoute? Find(string model);

    /// <summary>All deployments that should be running, by name.</summary>
    IReadOnlyList<InferenceRoute> List();
}
