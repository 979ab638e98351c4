using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using ClusterLlm.NodeAgent.Engines.Mlx.Requests;
using ClusterLlm.NodeAgent.Engines.Mlx.Ring;
using ClusterLlm.NodeAgent.Telemetry;
using ClusterLlm.Testing;
using Grpc.Core;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx;

/// <summary>What a split model tells of itself while it answers, on each of its nodes.</summary>
[Collection(MlxProcesses.Name)]
public sealed class MlxTelemetryTests(ITestOutputHelper output)
{
    private const string StepDuration = "clusterllm.shard.step.duration";

    [Fact(Timeout = 240_000)]
    public async Task Generate_OnTwoRanks_ShowsStageTimesTunnelBytesAndOneTrace()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var trace = ActivityTraceId.CreateRandom();
        var spans = new ConcurrentBag<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is NodeMetrics.MeterName or "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span => Keep(spans, span, trace),
        };
        ActivitySource.AddActivityListener(listener);
        using var meters = new MeterListener { InstrumentPublished = Enable };
        var measured = new ConcurrentDictionary<string, double>();
        meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => measured.AddOrUpdate(Key(instrument, tags), value, (_, sum) => sum + value));
        meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => measured[Key(instrument, tags)] = value);
        meters.Start();
        await using var cluster = await MlxCluster.StartAsync(2, cancellation);
        await cluster.LaunchAsync(TestModels.PathOf("llama-f32"), [(5, 7), (0, 5)], cancellation, contextTokens: 1024);

        var headers = new Metadata { { "traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01" } };
        var answering = AskAsync(cluster, headers, cancellation);
        var steps = await Task.WhenAll(cluster.Agents.Select(agent => StageStepAsync(agent, cancellation)));
        meters.RecordObservableInstruments();
        var answer = await answering;

        output.WriteLine($"stage step by rank: {string.Join(" and ", steps.Select(step => $"{step:0.00} ms"))}");
        output.WriteLine(string.Join("\n", measured.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} = {pair.Value}")));
        Assert.All(steps, step => Assert.True(step > 0));
        Assert.All(Enumerable.Range(0, 2), rank => Assert.True(measured[$"{StepDuration} {rank}"] > 0));
        // An activation of 32 floats per token goes from rank 1 to rank 0; tokens and control messages go both ways, through both ends of each tunnel.
        var tokens = (int)answer.Finished!.CompletionTokens;
        Assert.All(Enumerable.Range(0, 2), rank => Assert.True(measured[$"{TunnelMetrics.Bytes} {rank} receive"] > tokens));
        Assert.Equal(measured[$"{TunnelMetrics.Bytes} 0 receive"], measured[$"{TunnelMetrics.Bytes} 1 transmit"], tolerance: 64 * 1024.0);
        string[] names = ["mlx decode", "mlx prefill", "mlx queue", "stage layers 0-4", "stage layers 5-6", "text_completion llama-f32"];
        await StagesEndAsync(spans, cancellation);
        Assert.Equal(names, spans.Where(span => span.Source.Name == NodeMetrics.MeterName).Select(span => span.DisplayName).Order(StringComparer.Ordinal));
        var request = spans.Single(span => span.DisplayName.StartsWith("text_completion", StringComparison.Ordinal));
        Assert.All(spans.Where(span => span.DisplayName.StartsWith("mlx", StringComparison.Ordinal)), span => Assert.Equal(request.SpanId, span.ParentSpanId));
        Assert.All(spans.Where(span => span.DisplayName.StartsWith("stage", StringComparison.Ordinal)), span =>
        {
            Assert.InRange((int)span.GetTagItem("clusterllm.stage.steps")!, tokens - 1, tokens + 2);
            Assert.InRange((double)span.GetTagItem("clusterllm.stage.compute_seconds")!, 1e-6, span.Duration.TotalSeconds);
        });
        Assert.Equal(tokens, spans.Single(span => span.DisplayName == AnswerTrace.Decode).GetTagItem("gen_ai.usage.output_tokens"));
    }

    private static async Task<MlxAnswer> AskAsync(MlxCluster cluster, Metadata headers, CancellationToken cancellation)
    {
        var answer = new MlxAnswer();
        var body = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new { prompt = "Hello", max_tokens = 900, temperature = 0, ignore_eos = true });
        using var call = cluster.Call(body, cancellation, headers: headers);
        await foreach (var happening in call.ResponseStream.ReadAllAsync(cancellation))
        {
            answer.Add(happening);
        }

        Assert.Null(answer.Error);
        return answer;
    }

    /// <summary>Milliseconds, from the telemetry stream, as soon as the rank tells of a decode step.</summary>
    private static async Task<double> StageStepAsync(MlxAgent agent, CancellationToken cancellation)
    {
        using var watch = agent.Node.WatchTelemetry(new Proto.WatchTelemetryRequest { IntervalMs = 200 }, cancellationToken: cancellation);
        await foreach (var reading in watch.ResponseStream.ReadAllAsync(cancellation))
        {
            if (reading.Shards.FirstOrDefault(shard => shard.StageStepMs > 0) is { } shard)
            {
                return shard.StageStepMs;
            }
        }

        throw new InvalidOperationException("The agent ended its telemetry.");
    }

    /// <summary>Ranks say on their own output that a request is over, which may come after its answer.</summary>
    private static async Task StagesEndAsync(ConcurrentBag<Activity> spans, CancellationToken cancellation)
    {
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (spans.Count(span => span.DisplayName.StartsWith("stage", StringComparison.Ordinal)) < 2)
        {
            await poll.WaitForNextTickAsync(cancellation);
        }
    }

    private static void Keep(ConcurrentBag<Activity> spans, Activity span, ActivityTraceId trace)
    {
        if (span.TraceId == trace)
        {
            spans.Add(span);
        }
    }

    private static void Enable(Instrument instrument, MeterListener listener)
    {
        if (instrument.Meter.Name == NodeMetrics.MeterName && instrument.Name is TunnelMetrics.Bytes or StepDuration)
        {
            listener.EnableMeasurementEvents(instrument);
        }
    }

    private static string Key(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var (rank, direction) = ("", "");
        foreach (var (name, value) in tags)
        {
            rank = name == "clusterllm.rank" ? $" {value}" : rank;
            direction = name == "network.io.direction" ? $" {value}" : direction;
        }

        return instrument.Name + rank + direction;
    }
}
