using ClusterLlm.NodeAgent.Shards;
using Grpc.Core;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Rpc;

/// <summary>Starts, stops and watches this node's shards.</summary>
internal sealed class ShardService(ShardHost shards, CallLifetime lifetime) : Proto.ShardService.ShardServiceBase
{
    public override async Task<Proto.PrepareShardResponse> PrepareShard(Proto.PrepareShardRequest request, ServerCallContext context) =>
        (await shards.PrepareAsync(request.Spec.ToDomain(), context.CancellationToken).ConfigureAwait(false)).ToProto();

    public override Task<Proto.StartShardResponse> StartShard(Proto.StartShardRequest request, ServerCallContext context)
    {
        shards.Start(request.Spec.ToDomain());
        return Task.FromResult(new Proto.StartShardResponse());
    }

    public override async Task<Proto.StopShardResponse> StopShard(Proto.StopShardRequest request, ServerCallContext context)
    {
        var generation = (int)Math.Min(request.Generation, int.MaxValue);
        return new() { Stopped = await shards.StopAsync(request.DeploymentId, generation, context.CancellationToken).ConfigureAwait(false) };
    }

    public override async Task WatchShards(
        Proto.WatchShardsRequest request,
        IServerStreamWriter<Proto.ShardEvent> responseStream,
        ServerCallContext context)
    {
        using var call = lifetime.Link(context);
        var (snapshot, changes) = shards.Subscribe(call.Token);
        await foreach (var shardEvent in Events(snapshot, changes).ConfigureAwait(false))
        {
            await responseStream.WriteAsync(shardEvent, call.Token).ConfigureAwait(false);
        }
    }

    private static async IAsyncEnumerable<Proto.ShardEvent> Events(IEnumerable<ShardStatus> snapshot, IAsyncEnumerable<ShardStatus> changes)
    {
        foreach (var status in snapshot)
        {
            yield return status.ToProto();
        }

        yield return new Proto.ShardEvent { SnapshotEnd = new Proto.SnapshotEnd() };
        await foreach (var status in changes.ConfigureAwait(false))
        {
            yield return status.ToProto();
        }
    }
}
