using ClusterLlm.Coordinator.Nodes;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Stops shards on one node.</summary>
internal sealed partial class StopStep(
    NodeRegistry nodes, ShardClient client, IOptions<DeploymentsOptions> options, TimeProvider time, ILogger<StopStep> logger)
{
    /// <summary>Stops this generation and older ones (0: all). A failure is logged, and waits a little: the next round tries again.</summary>
    public async Task RunAsync(string deploymentId, string nodeId, int generation, CancellationToken cancellationToken)
    {
        if (!nodes.Current.TryGetValue(nodeId, out var node))
        {
            return;
        }

        var outcome = await client.StopAsync(node, deploymentId, generation, cancellationToken);
        if (outcome.Problem is { } problem)
        {
            LogStopFailed(deploymentId, nodeId, problem);
            await Task.Delay(options.Value.RetryFirst, time, cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The shards of deployment {Id} on node {NodeId} could not be stopped: {Reason}")]
    private partial void LogStopFailed(string id, string nodeId, string reason);
}
