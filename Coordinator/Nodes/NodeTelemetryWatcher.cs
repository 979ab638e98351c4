using ClusterLlm.Protos.V1;
using Grpc.Core;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Nodes;

/// <summary>Keeps each node's newest telemetry reading, by one stream per agent.</summary>
internal sealed class NodeTelemetryWatcher(NodeRegistry registry, NodeLoops loops, IOptions<NodesOptions> options) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        loops.RunAsync("telemetry", WatchAsync, node => registry.ReportStreamDown(node.NodeId, node.InstanceId), stoppingToken);

    private async Task WatchAsync(NodeSnapshot node, CallInvoker invoker, CancellationToken cancellationToken)
    {
        var request = new WatchTelemetryRequest { IntervalMs = (uint)options.Value.TelemetryInterval.TotalMilliseconds };
        using var call = new NodeService.NodeServiceClient(invoker).WatchTelemetry(request, cancellationToken: cancellationToken);
        await foreach (var telemetry in call.ResponseStream.ReadAllAsync(cancellationToken))
        {
            if (telemetry.NodeId != node.NodeId)
            {
                throw new InvalidOperationException($"The address of node {node.NodeId} is answered by node '{telemetry.NodeId}'.");
            }

            registry.Report(node.NodeId, node.InstanceId, telemetry.ToReading());
        }

        // An agent ends this stream only when it stops; its goodbye or its lease tells the rest.
        throw new InvalidOperationException($"Node {node.NodeId} ended its telemetry stream.");
    }
}
