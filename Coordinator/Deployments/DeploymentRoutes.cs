using ClusterLlm.Coordinator.Inference;
using ClusterLlm.Coordinator.Nodes;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Where requests go, read from the registries' snapshots without a lock.</summary>
internal sealed class DeploymentRoutes(DeploymentRegistry deployments, DeploymentViews views, NodeRegistry nodes) : IInferenceRoutes
{
    public InferenceRoute? Find(string model) =>
        deployments.Current.Values.FirstOrDefault(deployment => deployment.Name == model && IsListed(deployment)) is { } found ? Route(found) : null;

    public IReadOnlyList<InferenceRoute> List() =>
        [.. deployments.Current.Values.Where(IsListed).OrderBy(deployment => deployment.Name, StringComparer.Ordinal).Select(Route)];

    // A failed one is still found, so that a client reads why instead of "no such model".
    private static bool IsListed(Deployment deployment) => deployment.Wanted;

    private InferenceRoute Route(Deployment deployment)
    {
        var plan = deployment.Plan;
        var rankZero = plan is not null && nodes.Current.GetValueOrDefault(plan.RankZeroNodeId) is { IsUsable: true } node ? node.NodeId : null;
        var ready = deployment.State == DeploymentState.Ready && rankZero is not null;
        // Its node is known as lost a moment before the deployment is judged by it.
        var isCutOff = deployment.State == DeploymentState.Ready && !ready;
        return new InferenceRoute(
            deployment.Id,
            deployment.Name,
            ready,
            (isCutOff ? DeploymentState.Degraded : deployment.State).ToString().ToLowerInvariant(),
            isCutOff ? $"node '{plan?.RankZeroNodeId}', which answers for it, can't be reached" : deployment.Reason,
            ready ? 1 : views.Progress(deployment).Share,
            rankZero,
            plan?.ModelId ?? deployment.Spec.Model,
            plan?.Placement.ContextTokens ?? deployment.Spec.ContextTokens,
            plan?.VocabularySize ?? 0,
            deployment.CreatedAt);
    }
}
