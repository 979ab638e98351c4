using System.Collections.Immutable;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Protos.V1;
using Grpc.Core;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Follows the shards of every node, by one stream per agent.</summary>
internal sealed class ShardWatcher(ShardRegistry shards, NodeLoops loops) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        loops.RunAsync("shard", WatchAsync, node => shards.MarkUnknown(node.NodeId), stoppingToken);

    private async Task WatchAsync(NodeSnapshot node, CallInvoker invoker, CancellationToken cancellationToken)
    {
        using var call = new ShardService.ShardServiceClient(invoker).WatchShards(new WatchShardsRequest(), cancellationToken: cancellationToken);
        var snapshot = ImmutableArray.CreateBuilder<ShardFact>();
        var inSnapshot = true;
        await foreach (var message in call.ResponseStream.ReadAllAsync(cancellationToken))
        {
            if (message.EventCase == ShardEvent.EventOneofCase.SnapshotEnd)
            {
                shards.Reset(node.NodeId, node.InstanceId, snapshot.ToImmutable());
                inSnapshot = false;
            }
            else if (message.State?.ToFact() is { } fact)
            {
                if (inSnapshot)
                {
                    snapshot.Add(fact);
                }
                else
                {
                    shards.Report(node.NodeId, node.InstanceId, fact);
                }
            }
        }

        throw new InvalidOperationException($"Node {node.NodeId} ended its shard stream.");
    }
}
