using System.Diagnostics.Metrics;
using System.Text;
using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Engines.Builtin;
using ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;
using ClusterLlm.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;

namespace ClusterLlm.NodeAgent.Tests.Engines.Builtin;

/// <summary>What happens when clients leave, requests pile up, and stages fail.</summary>
public sealed class LifecycleTests
{
    private const string Endless = """{"prompt":[1,2,3,4,5],"max_tokens":100000,"temperature":0,"ignore_eos":true}""";

    private static HostedModel Demo => new(TestModels.PathOf("demo-3m"), [3, 3, 2]) { Context = 1024, Transport = StageTransport.Grpc };

    [Fact(Timeout = 120_000)]
    public async Task Generate_ClientLeaves_EndsWorkOnAllStagesWithinASecond()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var hosts = await StageHosts.StartAsync(Demo, cancellationToken);
        var collectors = Enumerable.Range(0, 3).Select(rank => Sequences(hosts, rank)).ToList();
        using var client = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var reader = ReadAsync(hosts.RankZero, Endless, client.Token).GetAsyncEnumerator(client.Token);
        while (await reader.MoveNextAsync() && reader.Current is not GenerationEvent.Chunk)
        {
        }

        Assert.All(collectors, collector => Assert.Equal(1, Active(collector)));
        var started = TimeProvider.System.GetTimestamp();
        await client.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            while (await reader.MoveNextAsync())
            {
            }
        });
        await reader.DisposeAsync();
        foreach (var collector in collectors)
        {
            await collector.WaitForMeasurementsAsync(2, cancellationToken);
            Assert.Equal(0, Active(collector));
            collector.Dispose();
        }

        Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(1), $"It took {TimeProvider.System.GetElapsedTime(started)}.");
        Assert.Equal(8, (await Answer.GreedyAsync(hosts.RankZero, [1, 2, 3], 8, cancellationToken)).Tokens.Length);
    }

    [Fact(Timeout = 120_000)]
    public async Task Generate_MoreRequestsThanSlots_QueuesAndAnswersAll()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var hosts = await StageHosts.StartAsync(Demo with { Concurrency = 2, MicroBatches = 2, Chunk = 4 }, cancellationToken);
        var alone = await Answer.GreedyAsync(hosts.RankZero, [7, 8, 9, 10, 11, 12], 12, cancellationToken);
        var answers = await Task.WhenAll(Enumerable.Range(0, 9).Select(_ => Answer.GreedyAsync(hosts.RankZero, [7, 8, 9, 10, 11, 12], 12, cancellationToken)));
        Assert.All(answers, answer =>
        {
            Assert.Equal(alone.Tokens, answer.Tokens);
            Assert.Equal(alone.LogProbs, answer.LogProbs);
        });
        Assert.Equal(0, hosts.RankZero.Read().RunningRequests);
        Assert.Contains(answers, answer => answer.Finished.Queue > TimeSpan.Zero);
    }

    [Fact(Timeout = 120_000)]
    public async Task Generate_LongPromptBesideDecode_DecodeGoesOn()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var hosts = await StageHosts.StartAsync(Demo with { Transport = StageTransport.InProcess, Chunk = 8 }, cancellationToken);
        var running = ReadAsync(hosts.RankZero, Endless, cancellationToken).GetAsyncEnumerator(cancellationToken);
        await NextChunkAsync(running);
        var prompt = string.Join(',', Enumerable.Repeat(9, 400));
        var prefill = ReadAsync(hosts.RankZero, $$"""{"prompt":[{{prompt}}],"max_tokens":1}""", cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await prefill.MoveNextAsync() && prefill.Current is not GenerationEvent.Progress { PrefilledTokens: > 0 })
        {
        }

        // 49 chunks are still to come; the other answer gets a token with each of them.
        for (var token = 0; token < 20; token++)
        {
            await NextChunkAsync(running);
        }

        await running.DisposeAsync();
        await prefill.DisposeAsync();
    }

    [Theory(Timeout = 120_000)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Generate_StageDies_FailsEverywhereAndNamesTheRank(int rank)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var hosts = await StageHosts.StartAsync(Demo, cancellationToken);
        var running = ReadAsync(hosts.RankZero, Endless, cancellationToken).GetAsyncEnumerator(cancellationToken);
        await NextChunkAsync(running);
        await hosts.Shards[rank].DisposeAsync();

        var failure = await Assert.ThrowsAsync<GenerationException>(async () =>
        {
            while (await running.MoveNextAsync())
            {
            }
        });
        Assert.Equal(503, failure.Status);
        Assert.Contains($"Rank {rank} (node-{rank}", failure.Message, StringComparison.Ordinal);
        foreach (var shard in hosts.Shards.Where(shard => shard.Spec.Rank != rank))
        {
            var reason = await Assert.ThrowsAsync<ShardException>(() => shard.Completion.WaitAsync(cancellationToken));
            Assert.Contains($"Rank {rank} (node-{rank}", reason.Message, StringComparison.Ordinal);
        }

        var refused = await Assert.ThrowsAsync<GenerationException>(() => Answer.GreedyAsync(hosts.RankZero, [1], 1, cancellationToken));
        Assert.Equal(503, refused.Status);
    }

    [Fact(Timeout = 120_000)]
    public async Task Start_NeighbourNeverComes_NamesRankAndAddress()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var connector = new GrpcStageConnector(new StageChannels(TestAuthority.Shared.Credentials("a")), TimeProvider.System);
        var spec = Demo.Specs([new("a", new Uri("https://127.0.0.1:1")), new("b", new Uri("https://127.0.0.1:1")), new("c", new Uri("https://127.0.0.1:1"))]).First();
        var failure = await Assert.ThrowsAsync<ShardException>(() => connector.ConnectAsync(spec, TimeSpan.FromMilliseconds(100), cancellationToken));
        Assert.Contains("Rank 2 (c, https://127.0.0.1:1/)", failure.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Start_CancelledWhileWaitingForNeighbours_FreesTheRank()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var hosts = await StageHosts.StartAsync(new HostedModel(TestModels.PathOf("demo-3m"), [8]) { Transport = StageTransport.Grpc }, cancellationToken);
        var engine = hosts.Services(0).GetRequiredService<BuiltinEngine>();
        var folder = ModelFolder.Open(TestModels.PathOf("demo-3m"));
        var spec = Demo.Specs([new("a", new Uri("https://127.0.0.1:1")), new("b", new Uri("https://127.0.0.1:1")), new("c", new Uri("https://127.0.0.1:1"))]).First();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var progress = new WaitingProgress();
        var starting = engine.StartAsync(spec, folder, progress, cancel.Token);
        await progress.Waiting.WaitAsync(cancellationToken);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting);
        Assert.Null(hosts.Services(0).GetRequiredService<StageDirectory>().Find(spec.DeploymentId, spec.Generation, spec.Rank));
    }

    [Theory]
    [InlineData(0, 0, 64, 4, "layers")]
    [InlineData(0, 9, 64, 4, "layers")]
    [InlineData(5, 4, 64, 4, "layers")]
    [InlineData(-1, 4, 64, 4, "layers")]
    [InlineData(1, 7, 64, 4, "layers")]
    [InlineData(0, 8, 0, 4, "context")]
    [InlineData(0, 8, 4096, 4, "context")]
    [InlineData(0, 8, 64, 0, "concurrency")]
    public void Check_WrongSpec_NamesTheConstraint(int first, int count, int context, int concurrency, string constraint)
    {
        var folder = ModelFolder.Open(TestModels.PathOf("demo-3m"));
        var check = ShardChecker.Check(OneStage(first, count, context, concurrency, 0), folder, 128, 2);
        Assert.Contains(check.Problems, problem => problem.Constraint == constraint);
    }

    [Fact]
    public void Check_PlanTooSmall_SaysNeededAndAllowedBytes()
    {
        var folder = ModelFolder.Open(TestModels.PathOf("demo-3m"));
        var check = ShardChecker.Check(OneStage(0, 8, 64, 4, 1_000_000), folder, 128, 2);
        var problem = Assert.Single(check.Problems);
        Assert.Equal(("memory", 1_000_000L), (problem.Constraint, problem.Available));
        Assert.Equal(check.WeightBytes + check.KvCacheBytes + check.WorkspaceBytes, problem.Needed);
    }

    private static ShardSpec OneStage(int first, int count, int context, int concurrency, long limit) => new(
        "d", 1, "builtin", "m", "", 0, first, count, context, concurrency, [new("a", new Uri("https://127.0.0.1:1"))], 1, 0, limit);

    private static async Task NextChunkAsync(IAsyncEnumerator<GenerationEvent> events)
    {
        while (await events.MoveNextAsync())
        {
            if (events.Current is GenerationEvent.Chunk)
            {
                return;
            }
        }

        Assert.Fail("The generation ended.");
    }

    private static IAsyncEnumerable<GenerationEvent> ReadAsync(IShard shard, string body, CancellationToken cancellationToken) =>
        shard.GenerateAsync(new GenerationRequest("r", RequestKind.Completion, Encoding.UTF8.GetBytes(body)), cancellationToken);

    private static MetricCollector<long> Sequences(StageHosts hosts, int rank) =>
        new(hosts.Services(rank).GetRequiredService<IMeterFactory>(), BuiltinMetrics.MeterName, "clusterllm.builtin.sequences");

    private static long Active(MetricCollector<long> collector) => collector.GetMeasurementSnapshot().Sum(measurement => measurement.Value);

    private sealed class WaitingProgress : IProgress<ShardProgress>
    {
        private readonly TaskCompletionSource _waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Waiting => _waiting.Task;

        public void Report(ShardProgress value)
        {
            if (value.WaitingForNeighbours)
            {
                _waiting.TrySetResult();
            }
        }
    }
}
