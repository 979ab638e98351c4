using System.Net;
using System.Runtime.CompilerServices;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Hosting;
using ClusterLlm.NodeAgent.Tests.Engines;
using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Tests.Rpc;

/// <summary>What only the real server shows: ports, aborted calls, and how it ends.</summary>
public sealed class KestrelTests : IDisposable
{
    private readonly AgentFactory _agent = new() { Settings = { ["Node:GrpcPort"] = "0" } };

    public KestrelTests()
    {
        _agent.UseKestrel();
        _agent.StartServer();
    }

    private AgentEndpoints Endpoints => _agent.Services.GetRequiredService<AgentEndpoints>();

    public void Dispose() => _agent.Dispose();

    [Fact(Timeout = 20_000)]
    public async Task Probes_ChosenPorts_Answer()
    {
        using var client = new HttpClient { BaseAddress = Endpoints.ProbeUrl };
        using var channel = _agent.Channel(Endpoints.GrpcUrl);

        var health = await client.GetAsync(new Uri("/health", UriKind.Relative), TestContext.Current.CancellationToken);
        var alive = await client.GetAsync(new Uri("/alive", UriKind.Relative), TestContext.Current.CancellationToken);
        var grpc = await new Health.HealthClient(channel).CheckAsync(new(), cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK), (health.StatusCode, alive.StatusCode));
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, grpc.Status);
    }

    [Fact(Timeout = 20_000)]
    public async Task Generate_CallerLeaves_EngineIsCancelled()
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _agent.Engine.Generate = (_, token) => EndlessAsync(cancelled, token);
        using var channel = _agent.Channel(Endpoints.GrpcUrl);
        await Wire.StartAsync(channel, "d", TestContext.Current.CancellationToken);
        using var caller = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        using var call = new Proto.InferenceService.InferenceServiceClient(channel).Generate(
            new() { DeploymentId = "d", Kind = Proto.RequestKind.Completion }, cancellationToken: caller.Token);
        Assert.True(await call.ResponseStream.MoveNext(caller.Token));

        await caller.CancelAsync();

        await cancelled.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = 20_000)]
    public async Task Stop_OpenStreamsAndShards_EndsThemWithinTheLimit()
    {
        using var channel = _agent.Channel(Endpoints.GrpcUrl);
        await Wire.StartAsync(channel, "d", TestContext.Current.CancellationToken);
        using var call = new Proto.NodeService.NodeServiceClient(channel).WatchTelemetry(
            new() { IntervalMs = 60_000 }, cancellationToken: TestContext.Current.CancellationToken);
        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.Equal(1_000UL, call.ResponseStream.Current.EngineMemoryBytes);
        var started = TimeProvider.System.GetTimestamp();

        await _agent.Services.GetRequiredService<IHost>().StopAsync(TestContext.Current.CancellationToken);

        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 0, 5);
        Assert.True(_agent.Engine.Shards.Single().IsDisposed);
        var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
    }

    private static async IAsyncEnumerable<GenerationEvent> EndlessAsync(
        TaskCompletionSource cancelled,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        try
        {
            yield return new GenerationEvent.Progress(0, 0, 4);
            await FakeEngine.Held().Task.WaitAsync(cancellationToken);
        }
        finally
        {
            cancelled.SetResult();
        }
    }
}
