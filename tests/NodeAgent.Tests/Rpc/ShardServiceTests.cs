using ClusterLlm.Testing;
using Grpc.Core;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Tests.Rpc;

public sealed class ShardServiceTests : IDisposable
{
    private readonly AgentFactory _agent = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _agent.Dispose();

    [Fact]
    public async Task Watch_StartAndStop_GivesSnapshotThenChanges()
    {
        using var channel = _agent.Channel();
        var client = new Proto.ShardService.ShardServiceClient(channel);
        await client.StartShardAsync(new() { Spec = Wire.Spec("first") }, cancellationToken: Cancellation);
        using var watch = client.WatchShards(new(), cancellationToken: Cancellation);

        Assert.Equal("first", (await NextAsync(watch)).State.DeploymentId);
        Proto.ShardEvent next;
        do
        {
            next = await NextAsync(watch);
        }
        while (next.EventCase != Proto.ShardEvent.EventOneofCase.SnapshotEnd);

        var stopped = await client.StopShardAsync(new() { DeploymentId = "first" }, cancellationToken: Cancellation);
        do
        {
            next = await NextAsync(watch);
        }
        while (next.State.Phase != Proto.ShardPhase.Stopped);

        Assert.True(stopped.Stopped);
        Assert.False((await client.StopShardAsync(new() { DeploymentId = "first" }, cancellationToken: Cancellation)).Stopped);
    }

    [Fact]
    public async Task Prepare_FitsOrNot_GivesNumbers()
    {
        using var channel = _agent.Channel();
        var client = new Proto.ShardService.ShardServiceClient(channel);

        var ok = await client.PrepareShardAsync(new() { Spec = Wire.Spec("d") }, cancellationToken: Cancellation);
        _agent.Engine.Check = _agent.Engine.Check with { WeightBytes = 20_000 };
        var refused = await client.PrepareShardAsync(new() { Spec = Wire.Spec("d") }, cancellationToken: Cancellation);

        Assert.Equal((true, 600UL, 300UL, 100UL), (ok.Ok, ok.WeightBytes, ok.KvCacheBytes, ok.WorkspaceBytes));
        Assert.False(refused.Ok);
        Assert.Equal(("memory", 20_400UL, 9_000UL), (refused.Problems[0].Constraint, refused.Problems[0].Needed, refused.Problems[0].Available));
    }

    private static readonly Dictionary<string, Action<Proto.ShardSpec>> Spoilers = new()
    {
        ["spec.deployment_id"] = spec => spec.DeploymentId = "",
        ["spec.engine"] = spec => spec.Engine = "",
        ["spec.model"] = spec => spec.Model = "",
        ["spec.generation"] = spec => spec.Generation = 0,
        ["spec.world_size"] = spec => spec.WorldSize = 0,
        ["spec.ranks"] = spec => spec.Ranks.Clear(),
        ["spec.rank"] = spec => spec.Rank = 1,
        ["spec.layer_count"] = spec => spec.LayerCount = 0,
        ["spec.context_tokens"] = spec => spec.ContextTokens = uint.MaxValue,
        ["spec.max_concurrency"] = spec => spec.MaxConcurrency = 0,
        ["spec.ranks[0].url"] = spec => spec.Ranks[0].Url = "ftp://x",
    };

    public static TheoryData<string> Fields => [.. Spoilers.Keys];

    [Theory]
    [MemberData(nameof(Fields))]
    public async Task Start_BadField_IsNamed(string field)
    {
        using var channel = _agent.Channel();
        var spec = Wire.Spec("d");
        Spoilers[field](spec);

        var error = await Assert.ThrowsAsync<RpcException>(
            () => new Proto.ShardService.ShardServiceClient(channel).StartShardAsync(new() { Spec = spec }, cancellationToken: Cancellation).ResponseAsync);

        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.StartsWith(field, error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_StoppedGeneration_IsAFailedPrecondition()
    {
        using var channel = _agent.Channel();
        var client = new Proto.ShardService.ShardServiceClient(channel);
        await client.StopShardAsync(new() { DeploymentId = "d", Generation = 2 }, cancellationToken: Cancellation);

        var error = await Assert.ThrowsAsync<RpcException>(
            () => client.StartShardAsync(new() { Spec = Wire.Spec("d") }, cancellationToken: Cancellation).ResponseAsync);

        Assert.Equal(StatusCode.FailedPrecondition, error.StatusCode);
    }

    private static async Task<Proto.ShardEvent> NextAsync(AsyncServerStreamingCall<Proto.ShardEvent> watch)
    {
        Assert.True(await watch.ResponseStream.MoveNext(Cancellation));
        return watch.ResponseStream.Current;
    }
}

/// <summary>Builds messages.</summary>
internal static class Wire
{
    public static Proto.ShardSpec Spec(string deploymentId) => new()
    {
        DeploymentId = deploymentId,
        Generation = 1,
        Engine = "fake",
        Model = TestModels.PathOf("llama-f32"),
        Rank = 0,
        WorldSize = 1,
        LayerCount = 2,
        ContextTokens = 64,
        MaxConcurrency = 2,
        Ranks = { new Proto.RankEndpoint { NodeId = "node-a", Url = "http://127.0.0.1:7430" } },
    };

    /// <summary>Starts a shard and waits until it is ready.</summary>
    public static Task StartAsync(ChannelBase channel, string deploymentId, CancellationToken cancellationToken) =>
        StartAsync(channel, Spec(deploymentId), cancellationToken);

    /// <summary>Starts a shard and waits until it is ready.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static async Task StartAsync(ChannelBase channel, Proto.ShardSpec spec, CancellationToken cancellationToken)
    {
        var client = new Proto.ShardService.ShardServiceClient(channel);
        using var watch = client.WatchShards(new(), cancellationToken: cancellationToken);
        await client.StartShardAsync(new() { Spec = spec }, cancellationToken: cancellationToken);
        while (await watch.ResponseStream.MoveNext(cancellationToken) && watch.ResponseStream.Current.State?.Phase != Proto.ShardPhase.Ready)
        {
            if (watch.ResponseStream.Current.State?.Phase == Proto.ShardPhase.Failed)
            {
                throw new InvalidOperationException(watch.ResponseStream.Current.State.Reason);
            }
        }
    }
}
