using ClusterLlm.Coordinator.Nodes;
using Grpc.Core;

namespace ClusterLlm.Coordinator.Models;

/// <summary>Asks all nodes for their models now.</summary>
internal sealed partial class ModelRefresh(
    NodeRegistry nodes, INodeChannels channels, ModelRegistry models, ModelClient client, ILogger<ModelRefresh> logger)
{
    /// <summary>Returns when every usable node has answered or failed to; a node that fails keeps its older inventory.</summary>
    public Task RefreshAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(nodes.Current.Values.Where(node => node.IsUsable).Select(node => RefreshAsync(node, cancellationToken)));

    private async Task RefreshAsync(NodeSnapshot node, CancellationToken cancellationToken)
    {
        try
        {
            if (channels.Find(node.NodeId) is { } invoker)
            {
                models.Report(await client.ListAsync(node, invoker, cancellationToken));
            }
        }
        catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
        {
            LogFailed(node.NodeId, e.Status.Detail);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Node {NodeId} could not list its models: {Reason}")]
    private partial void LogFailed(string nodeId, string reason);
}
