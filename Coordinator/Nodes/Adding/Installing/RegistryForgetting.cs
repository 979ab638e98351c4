using ClusterLlm.Coordinator.Security;

namespace ClusterLlm.Coordinator.Nodes.Adding.Installing;

/// <summary>Revokes a node's certificates and takes it out of the list of nodes.</summary>
internal sealed class RegistryForgetting(Enrollments enrollments, NodeRegistry nodes) : INodeForgetting
{
    public async Task<bool> ForgetAsync(string nodeId, CancellationToken cancellationToken)
    {
        // The certificates first: an agent that still runs could join again in between.
        var revoked = await enrollments.RevokeAsync(nodeId, cancellationToken);
        return nodes.Remove(nodeId) || revoked > 0;
    }
}
