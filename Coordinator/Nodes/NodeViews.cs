using System.Runtime.CompilerServices;

namespace ClusterLlm.Coordinator.Nodes;

/// <summary>The nodes as the API shows them.</summary>
internal sealed class NodeViews(NodeRegistry registry, ICommittedMemory memory)
{
    public NodeContract[] All() => [.. registry.Current.Values.Select(View)];

    public NodeContract? Find(string id) => registry.Current.TryGetValue(id, out var node) ? View(node) : null;

    /// <summary>All nodes now and after each change.</summary>
    public async IAsyncEnumerable<NodeContract[]> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var subscription = registry.Subscribe();
        await foreach (var nodes in subscription.AllAsync(cancellationToken))
        {
            yield return [.. nodes.Values.Select(View)];
        }
    }

    private NodeContract View(NodeSnapshot node) => NodeContract.From(node, memory.CommittedBytes(node.NodeId));
}
