using System.Collections.Concurrent;
using System.Diagnostics;
using ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;
using ClusterLlm.Testing;

namespace ClusterLlm.NodeAgent.Tests.Engines.Builtin;

/// <summary>Each stage of a request is in the request's trace.</summary>
public sealed class StageTraceTests
{
    [Fact(Timeout = 120_000)]
    public async Task Generate_ThreeStages_EachHasOneSpanInTheRequestsTrace()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        using var listener = new StageSpans();
        await using (var hosts = await StageHosts.StartAsync(new HostedModel(TestModels.PathOf("demo-3m"), [3, 3, 2]) { Transport = StageTransport.Grpc, Chunk = 4 }, cancellationToken))
        {
            using var request = new Activity("request").Start();
            request.ActivityTraceFlags = ActivityTraceFlags.Recorded;
            listener.Trace = request.TraceId;
            await Answer.GreedyAsync(hosts.RankZero, [7, 8, 9, 10, 11, 12], 5, cancellationToken);
            request.Stop();
            await listener.WaitAsync(3, cancellationToken);
        }

        // The prompt goes in two chunks, and the last token is not fed back: 2 + 4 steps, 6 + 4 rows.
        Assert.Equal(
            [
                "stage layers 0-2: rank 2, node-2, demo-3m, 6 steps, 10 tokens, Unset",
                "stage layers 3-5: rank 1, node-1, demo-3m, 6 steps, 10 tokens, Unset",
                "stage layers 6-7: rank 0, node-0, demo-3m, 6 steps, 10 tokens, Unset",
            ],
            listener.Ended.Select(Describe).Order(StringComparer.Ordinal));
        Assert.All(listener.Ended, span => Assert.True((double)span.GetTagItem("clusterllm.stage.compute_seconds")! > 0));
        Assert.Single(listener.Ended.Select(span => span.ParentSpanId).Distinct());
    }

    [Fact(Timeout = 120_000)]
    public async Task Generate_NotTraced_OpensNoSpan()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var hosts = await StageHosts.StartAsync(new HostedModel(TestModels.PathOf("demo-3m"), [4, 4]) { Transport = StageTransport.Grpc }, cancellationToken);
        using var listener = new StageSpans { Trace = default };
        Activity.Current = null;

        await Answer.GreedyAsync(hosts.RankZero, [7, 8, 9], 3, cancellationToken);

        Assert.Empty(listener.Ended);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no trace context")]
    [InlineData("00-00000000000000000000000000000000-0000000000000000-01")]
    public void Begin_NoTraceContext_IsLeftAlone(string parent)
    {
        var ranks = System.Collections.Immutable.ImmutableArray.Create(new NodeAgent.Engines.ShardRank("a", new Uri("http://127.0.0.1:1")));
        var spec = new HostedModel("demo-3m", [8]).Specs(ranks).Single();
        using var traces = new StageTraces(spec);
        using var listener = new StageSpans();

        traces.Begin(new StageWork.Step(0, [new(0, 0, 1)], [1], ReadOnlyMemory<byte>.Empty) { Traces = [new SequenceTrace(0, parent)] });
        traces.End(0);

        Assert.Empty(listener.Ended);
    }

    private static string Describe(Activity span) =>
        $"{span.DisplayName}: rank {span.GetTagItem("clusterllm.shard.rank")}, {span.GetTagItem("clusterllm.node.id")}, {span.GetTagItem("gen_ai.request.model")}, "
        + $"{span.GetTagItem("clusterllm.stage.steps")} steps, {span.GetTagItem("clusterllm.stage.tokens")} tokens, {span.Status}";

    /// <summary>Spans of stages that belong to one trace; other tests of this process have theirs.</summary>
    private sealed class StageSpans : IDisposable
    {
        private readonly ActivityListener _listener;
        private readonly SemaphoreSlim _more = new(0);

        public StageSpans()
        {
            _listener = new()
            {
                ShouldListenTo = source => source.Name == BuiltinMetrics.MeterName,
                Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
                    options.Parent.TraceId == Trace && Trace != default ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
                ActivityStopped = span =>
                {
                    if (span.TraceId == Trace && span.DisplayName.StartsWith("stage ", StringComparison.Ordinal))
                    {
                        Ended.Add(span);
                        _more.Release();
                    }
                },
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public ConcurrentBag<Activity> Ended { get; } = [];

        public ActivityTraceId Trace { get; set; }

        public async Task WaitAsync(int count, CancellationToken cancellationToken)
        {
            for (var each = 0; each < count; each++)
            {
                await _more.WaitAsync(cancellationToken);
            }
        }

        public void Dispose()
        {
            _listener.Dispose();
            _more.Dispose();
        }
    }
}
