using System.Collections.Immutable;

namespace ClusterLlm.AppHost.Cluster;

/// <summary>The cluster as the Coordinator last told it.</summary>
/// <param name="Connected">False while the Coordinator does not answer: the rest is then what it said before.</param>
/// <param name="Nodes">By id.</param>
/// <param name="Deployments">Oldest first.</param>
internal sealed record ClusterView(bool Connected, ImmutableArray<NodeView> Nodes, ImmutableArray<DeploymentView> Deployments)
{
    public static ClusterView Empty { get; } = new(Connected: false, [], []);

    public NodeView? Node(string id) => Nodes.FirstOrDefault(node => node.Id == id);

    public DeploymentView? Deployment(string id) => Deployments.FirstOrDefault(deployment => deployment.Id == id);
}
