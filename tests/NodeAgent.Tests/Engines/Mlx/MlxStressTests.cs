using System.Diagnostics;
using System.Text.Json;
using ClusterLlm.Testing;
using Grpc.Core;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx;

/// <summary>Many clients at once, and clients that send nonsense, on two ranks.</summary>
[Collection(MlxProcesses.Name)]
public sealed class MlxStressTests(ITestOutputHelper output)
{
    private const int Requests = 60;
    private const int Clients = 6;
    private const int FuzzedBodies = 200;

    [Fact(Timeout = 480_000)]
    public async Task Group_MixedRequestsThenBrokenOnes_IsAliveAndItsMemoryComesBack()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var cluster = await MlxCluster.StartAsync(2, cancellation);
        await cluster.LaunchAsync(TestModels.PathOf("llama-f32"), [(5, 7), (0, 5)], cancellation, concurrency: 4);
        var before = await SettledMemoryAsync(cluster, cancellation);
        var alone = await cluster.AskAsync(Probe, cancellation);

        await StressAsync(cluster, cancellation);
        await FuzzAsync(cluster, cancellation);

        var after = await cluster.AskAsync(Probe, cancellation);
        Assert.Equal(alone.Text, after.Text);
        var memory = await SettledMemoryAsync(cluster, cancellation);
        output.WriteLine($"memory of both ranks: {before / 1e6:0.0} MB before, {memory / 1e6:0.0} MB after");
        // The stored prompts stay: at most 4 of 512 tokens here, and MLX's pool of freed buffers.
        Assert.True(memory < before + 100e6, $"{before} bytes before, {memory} after");
        var processes = Enumerable.Range(0, 2).Select(cluster.ProcessOf).ToArray();
        await cluster.StopAsync(cancellation);
        Assert.All(processes, process => Assert.False(Directory.Exists($"/proc/{process}")));
    }

    private static object Probe => new { prompt = "the theme of the thesis", max_tokens = 12, temperature = 0 };

    private async Task StressAsync(MlxCluster cluster, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        var next = -1;
        var (good, cut) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async _ =>
        {
            while (Interlocked.Increment(ref next) is var index && index < Requests)
            {
                // Ten of sixty hang up in the middle.
                if (index % 6 == 3)
                {
                    await DisconnectAsync(cluster, Body(index, 300), cancellation);
                    Interlocked.Increment(ref cut);
                    continue;
                }

                var answer = await cluster.AskAsync(Body(index, 1 + (index * 7 % 40)), cancellation);
                Assert.True(answer.Error is null, $"request {index}: {answer.Error}");
                Assert.Contains(answer.Finished!.FinishReason, (string[])["stop", "length"]);
                Assert.Equal((int)answer.Finished.CompletionTokens, answer.CountedTokens);
                Interlocked.Increment(ref good);
            }
        }));
        output.WriteLine($"{good} good, {cut} cut by the client, in {watch.Elapsed.TotalSeconds:0.0} s");
        Assert.Equal((50, 10), (good, cut));
    }

    private static byte[] Body(int index, int maxTokens)
    {
        var random = new Random(index);
        var body = new Dictionary<string, object>
        {
            ["prompt"] = string.Concat(Enumerable.Repeat("abc def ghi ", random.Next(1, 20))) + index,
            ["max_tokens"] = maxTokens,
            ["temperature"] = new[] { 0, 0.8, 1.0 }[random.Next(3)],
        };
        Add(0.3, "seed", index);
        Add(0.3, "repetition_penalty", 1.1);
        Add(0.3, "presence_penalty", 0.5);
        Add(0.3, "frequency_penalty", 0.5);
        Add(0.3, "logit_bias", new Dictionary<string, int> { ["65"] = 5, ["50256"] = -100 });
        Add(0.3, "stop", new[] { "AA", "e" });
        Add(0.3, "top_p", 0.9);
        Add(0.2, "top_k", 20);
        Add(0.2, "min_p", 0.05);
        Add(0.2, "logprobs", 3);
        Add(0.2, "n", 2);
        return JsonSerializer.SerializeToUtf8Bytes(body);

        void Add(double share, string name, object value)
        {
            if (random.NextDouble() < share)
            {
                body[name] = value;
            }
        }
    }

    private static async Task DisconnectAsync(MlxCluster cluster, byte[] body, CancellationToken cancellation)
    {
        using var hangUp = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var call = cluster.Call(body, hangUp.Token);
        try
        {
            await foreach (var happening in call.ResponseStream.ReadAllAsync(hangUp.Token))
            {
                if (happening.Chunk is not null)
                {
                    await hangUp.CancelAsync();
                }
            }
        }
        catch (RpcException error) when (error.StatusCode == StatusCode.Cancelled)
        {
            Assert.True(hangUp.IsCancellationRequested);
        }
    }

    /// <summary>Bodies that went wrong in one or two places; each is answered, refused by name, or harmless.</summary>
    private async Task FuzzAsync(MlxCluster cluster, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        var (refused, answered) = (0, 0);
        var options = new ParallelOptions { MaxDegreeOfParallelism = Clients, CancellationToken = cancellation };
        await Parallel.ForEachAsync(Enumerable.Range(0, FuzzedBodies), options, async (index, token) =>
        {
            var kind = index % 2 == 0 ? Proto.RequestKind.Completion : Proto.RequestKind.ChatCompletion;
            var body = BrokenBodies.Make(index, kind == Proto.RequestKind.ChatCompletion);
            var answer = await cluster.AskAsync(body, token, kind);
            var text = System.Text.Encoding.UTF8.GetString(body);
            Assert.True(answer.Error is null or { Status: 400 }, $"body {index} {text}: {answer.Error}");
            Assert.True(answer.Error is not null || answer.Finished is not null, $"body {index} {text}: no end");
            _ = answer.Error is null ? Interlocked.Increment(ref answered) : Interlocked.Increment(ref refused);
        });

        output.WriteLine($"{refused} broken bodies refused, {answered} answered, in {watch.Elapsed.TotalSeconds:0.0} s");
        Assert.True(refused > FuzzedBodies / 2);
    }

    /// <summary>What the beats say once they have caught up.</summary>
    private static async Task<double> SettledMemoryAsync(MlxCluster cluster, CancellationToken cancellation)
    {
        ulong total = 0;
        foreach (var agent in cluster.Agents)
        {
            using var watch = agent.Node.WatchTelemetry(new Proto.WatchTelemetryRequest { IntervalMs = 1000 }, cancellationToken: cancellation);
            var readings = 0;
            await foreach (var reading in watch.ResponseStream.ReadAllAsync(cancellation))
            {
                if (++readings == 3)
                {
                    total += Assert.Single(reading.Shards).MemoryBytes;
                    break;
                }
            }
        }

        return total;
    }
}
