using System.Diagnostics;
using System.Diagnostics.Metrics;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Telemetry;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Logging;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Tests.Rpc;

public sealed class InferenceServiceTests : IDisposable
{
    private readonly AgentFactory _agent = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _agent.Dispose();

    [Fact]
    public async Task Generate_ReadyShard_StreamsEventsAsTheyCome()
    {
        var events = await GenerateAsync(Request());

        Assert.Equal(
            [
                Proto.GenerateEvent.EventOneofCase.Progress, Proto.GenerateEvent.EventOneofCase.Chunk, Proto.GenerateEvent.EventOneofCase.Chunk,
                Proto.GenerateEvent.EventOneofCase.Finished,
            ],
            events.Select(happening => happening.EventCase));
        Assert.Equal(("{\"a\":2}", 2U), (events[2].Chunk.Json.ToStringUtf8(), events[2].Chunk.TokenCount));
        var finished = events[3].Finished;
        Assert.Equal(
            ("stop", 4U, 1U, 3U, 20.0, 5.0, 10.0, 40.0),
            (finished.FinishReason, finished.PromptTokens, finished.CachedTokens, finished.CompletionTokens, finished.TimeToFirstTokenMs, finished.QueueMs, finished.PrefillMs, finished.DecodeMs));
    }

    [Fact]
    public async Task Generate_GenerationException_BecomesAnErrorEvent()
    {
        _agent.Engine.Generate = (_, _) => throw new GenerationException(400, "messages[0].role is 'x'.", "messages[0].role", "bad_role");

        var error = Assert.Single(await GenerateAsync(Request())).Error;

        Assert.Equal((400U, "messages[0].role is 'x'.", "messages[0].role", "bad_role"), (error.Status, error.Message, error.Param, error.Code));
    }

    [Fact]
    public async Task Generate_UnexpectedException_IsLoggedAndItsTextKept()
    {
        _agent.Engine.Generate = (_, _) => throw new FormatException("the prompt was: secret");

        var error = Assert.Single(await GenerateAsync(Request())).Error;

        Assert.Equal(500U, error.Status);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
        Assert.Contains(_agent.Log.Collector.GetSnapshot(), record => record is { Level: LogLevel.Error, Exception: FormatException });
    }

    [Fact]
    public async Task Generate_NoShard_IsAFailedPrecondition()
    {
        using var channel = _agent.Channel();
        using var call = new Proto.InferenceService.InferenceServiceClient(channel).Generate(Request(), cancellationToken: Cancellation);

        var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Cancellation));

        Assert.Equal(StatusCode.FailedPrecondition, error.StatusCode);
    }

    [Fact]
    public async Task Generate_UnknownKind_IsAnInvalidArgument()
    {
        using var channel = _agent.Channel();
        await Wire.StartAsync(channel, "d", Cancellation);
        using var call = new Proto.InferenceService.InferenceServiceClient(channel).Generate(new() { DeploymentId = "d" }, cancellationToken: Cancellation);

        var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Cancellation));

        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
    }

    [Fact]
    public async Task Generate_Measured_WhereTokensComeOut()
    {
        var meters = _agent.Services.GetRequiredService<IMeterFactory>();
        using var firstToken = new MetricCollector<double>(meters, NodeMetrics.MeterName, "gen_ai.server.time_to_first_token");
        using var perToken = new MetricCollector<double>(meters, NodeMetrics.MeterName, "gen_ai.server.time_per_output_token");
        using var usage = new MetricCollector<long>(meters, NodeMetrics.MeterName, "gen_ai.client.token.usage");
        using var active = new MetricCollector<long>(meters, NodeMetrics.MeterName, "clusterllm.node.requests.active");
        using var duration = new MetricCollector<double>(meters, NodeMetrics.MeterName, "gen_ai.server.request.duration");

        await GenerateAsync(Request());
        await duration.WaitForMeasurementsAsync(1, Cancellation);

        Assert.Equal(0.02, firstToken.LastMeasurement!.Value);
        Assert.Equal(0.02, perToken.LastMeasurement!.Value);
        Assert.Equal([4L, 3L], usage.GetMeasurementSnapshot().Select(measurement => measurement.Value));
        Assert.Equal("llama-f32", firstToken.LastMeasurement.Tags["gen_ai.request.model"]);
        Assert.Equal("chat", firstToken.LastMeasurement.Tags["gen_ai.operation.name"]);
        Assert.DoesNotContain("error.type", duration.LastMeasurement!.Tags.Keys);
        Assert.Equal(1, active.GetMeasurementSnapshot()[0].Value);
    }

    [Fact]
    public async Task Generate_Span_HasUsageButNoText()
    {
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == NodeMetrics.MeterName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        var request = Request();
        request.RequestId = Guid.NewGuid().ToString("N");

        await GenerateAsync(request);

        var span = spans.Single(span => (string?)span.GetTagItem("clusterllm.request.id") == request.RequestId);
        Assert.Equal("chat llama-f32", span.DisplayName);
        Assert.Equal((4, 3), (span.GetTagItem("gen_ai.usage.input_tokens"), span.GetTagItem("gen_ai.usage.output_tokens")));
        Assert.DoesNotContain(span.TagObjects, tag => tag.Value is string text && text.Contains("hello", StringComparison.Ordinal));
    }

    private async Task<List<Proto.GenerateEvent>> GenerateAsync(Proto.GenerateRequest request)
    {
        using var channel = _agent.Channel();
        await Wire.StartAsync(channel, "d", Cancellation);
        using var call = new Proto.InferenceService.InferenceServiceClient(channel).Generate(request, cancellationToken: Cancellation);
        return await call.ResponseStream.ReadAllAsync(Cancellation).ToListAsync(Cancellation);
    }

    private static Proto.GenerateRequest Request() => new()
    {
        DeploymentId = "d",
        RequestId = "r-1",
        Kind = Proto.RequestKind.ChatCompletion,
        Body = ByteString.CopyFromUtf8("{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}"),
    };
}
