using ClusterLlm.Coordinator.Nodes;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Whether a plan still holds on the cluster of now. Pure.</summary>
internal static class PlanCheck
{
    /// <summary>What no longer holds, or <see langword="null"/>.</summary>
    public static string? Problem(
        Deployment deployment, IReadOnlyDictionary<string, NodeSnapshot> nodes, IReadOnlyCollection<Deployment> deployments)
    {
        if (SplitCheck.Problem(deployment.Plan!.Placement, deployment.Plan.LayerCount) is { } split)
        {
            return split;
        }

        foreach (var stage in deployment.Plan.Placement.Stages)
        {
            if (!nodes.TryGetValue(stage.NodeId, out var node) || node.State != NodeState.Ready)
            {
                return $"Node {stage.NodeId} takes no shards any more.";
            }

            var free = node.MemoryUsableBytes - ClusterSnapshots.CommittedBytes(stage.NodeId, deployments, deployment.Id);
            if (stage.TotalBytes > free)
            {
                return $"Node {stage.NodeId} has {free} bytes left for rank {stage.Rank}, which needs {stage.TotalBytes}.";
            }
        }

        return null;
    }
}
