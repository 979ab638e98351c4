using ClusterLlm.NodeAgent.Hosting;
using ClusterLlm.Testing;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Tests.Rpc;

/// <summary>The demo model on a whole agent, over its real ports.</summary>
public sealed class BuiltinEngineOnAgentTests : IDisposable
{
    private readonly AgentFactory _agent = new() { Settings = { ["Node:GrpcPort"] = "0" } };

    public void Dispose() => _agent.Dispose();

    [Fact(Timeout = 60_000)]
    public async Task Generate_DemoModel_StreamsAnAnswerAndIsCounted()
    {
        _agent.Hardware.TotalBytes = 4L << 30;
        _agent.UseKestrel();
        _agent.StartServer();
        var url = _agent.Services.GetRequiredService<AgentEndpoints>().GrpcUrl;
        using var channel = _agent.Channel(url);
        var shards = new Proto.ShardService.ShardServiceClient(channel);
        var spec = await SpecAsync(channel, url, TestContext.Current.CancellationToken);

        var check = await shards.PrepareShardAsync(new() { Spec = spec }, cancellationToken: TestContext.Current.CancellationToken);
        await Wire.StartAsync(channel, spec, TestContext.Current.CancellationToken);
        using var call = new Proto.InferenceService.InferenceServiceClient(channel).Generate(
            new()
            {
                DeploymentId = spec.DeploymentId,
                RequestId = "r",
                Kind = Proto.RequestKind.Completion,
                Body = ByteString.CopyFromUtf8("""{"prompt":"What is a shard?","max_tokens":16,"temperature":0}"""),
            },
            cancellationToken: TestContext.Current.CancellationToken);
        var events = await call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);

        Assert.True(check.Ok, string.Join(" ", check.Problems));
        var finished = events[^1].Finished;
        Assert.True(finished is not null, $"The last event is {events[^1]}");
        Assert.InRange(finished.CompletionTokens, 1U, 16U);
        Assert.Equal(
            (long)finished.CompletionTokens,
            events.Where(happening => happening.Chunk is not null).Sum(happening => happening.Chunk.TokenCount));
        Assert.True((await shards.StopShardAsync(new() { DeploymentId = spec.DeploymentId }, cancellationToken: TestContext.Current.CancellationToken)).Stopped);
    }

    private static async Task<Proto.ShardSpec> SpecAsync(ChannelBase channel, Uri url, CancellationToken cancellationToken)
    {
        var model = await new Proto.ModelService.ModelServiceClient(channel).InspectModelAsync(
            new() { Model = TestModels.PathOf("demo-3m") }, cancellationToken: cancellationToken);
        var spec = Wire.Spec("demo");
        spec.Engine = "builtin";
        spec.Model = model.Path;
        spec.ModelFingerprint = model.Fingerprint;
        spec.LayerCount = model.LayerCount;
        spec.ContextTokens = 128;
        spec.Ranks[0].Url = url.GetLeftPart(UriPartial.Authority);
        return spec;
    }
}
