using System.Diagnostics;
using System.Text.Json;
using ClusterLlm.Testing;
using Grpc.Core;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx;

/// <summary>What goes wrong with a group of ranks: each time the state is clear, no answer looks complete, the memory is free, and the next start works.</summary>
[Collection(MlxProcesses.Name)]
public sealed class MlxFaultTests(ITestOutputHelper output)
{
    /// <summary>Figures are for an idle machine; a test must not fail because others compute on it too.</summary>
    private const double Slowness = 3;

    private static readonly (int First, int End)[] Split = [(5, 7), (0, 5)];
    private static readonly string Model = TestModels.PathOf("llama-f32");
    private static readonly byte[] LongBody = JsonSerializer.SerializeToUtf8Bytes(new { prompt = "Hello", max_tokens = 1500, temperature = 1, ignore_eos = true });

    [Fact(Timeout = 240_000)]
    public async Task Group_RankKilledMidStream_FailsWithinTwoSecondsAndStartsAgain()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var cluster = await MlxCluster.StartAsync(2, cancellation);
        var id = await cluster.LaunchAsync(Model, Split, cancellation, contextTokens: 2048);
        var victim = cluster.ProcessOf(1);
        var survivor = cluster.ProcessOf(0);

        var (answer, took) = await FaultWhileAnsweringAsync(cluster, () => Signal(victim, "KILL"), cancellation);
        output.WriteLine($"killed: the client's stream ended with an error after {took.TotalSeconds:0.00} s: {answer.Error!.Message}");
        var states = await Task.WhenAll(cluster.WaitAsync(0, id, Proto.ShardPhase.Failed, cancellation), cluster.WaitAsync(1, id, Proto.ShardPhase.Failed, cancellation));

        Assert.True(took < TimeSpan.FromSeconds(2) * Slowness, $"It took {took}.");
        Assert.Equal(503u, answer.Error.Status);
        Assert.Contains("Rank 0 lost the connection to a neighbour", states[0].Reason, StringComparison.Ordinal);
        Assert.Contains("Rank 1 was killed (SIGKILL)", states[1].Reason, StringComparison.Ordinal);
        Assert.False(Runs(survivor) || Runs(victim));
        await AssertStartsAgainAsync(cluster, cancellation);
    }

    [Fact(Timeout = 240_000)]
    public async Task Group_RankStoppedMidStream_FailsWithinTheStallLimit()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var limit = TimeSpan.FromSeconds(6);
        await using var cluster = await MlxCluster.StartAsync(2, cancellation, ("Engines:Mlx:StallTimeout", limit.ToString()));
        var id = await cluster.LaunchAsync(Model, Split, cancellation, contextTokens: 2048);
        var victim = cluster.ProcessOf(1);

        var (answer, took) = await FaultWhileAnsweringAsync(cluster, () => Signal(victim, "STOP"), cancellation);
        output.WriteLine($"stopped, limit {limit.TotalSeconds} s: the client's stream ended with an error after {took.TotalSeconds:0.00} s: {answer.Error!.Message}");
        var state = await cluster.WaitAsync(0, id, Proto.ShardPhase.Failed, cancellation);
        await cluster.StopAsync(cancellation);

        Assert.True(took < limit + (TimeSpan.FromSeconds(2) * Slowness), $"It took {took}.");
        Assert.Contains("Rank 0 was ended by its watchdog", state.Reason, StringComparison.Ordinal);
        Assert.False(Runs(victim));
    }

    [Fact(Timeout = 240_000)]
    public async Task Group_AgentOfARankEnds_FailsWithinSecondsOnTheOthers()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var cluster = await MlxCluster.StartAsync(2, cancellation);
        var id = await cluster.LaunchAsync(Model, Split, cancellation, contextTokens: 2048);
        var victim = cluster.ProcessOf(1);

        var (answer, took) = await FaultWhileAnsweringAsync(cluster, () => _ = cluster.Agents[1].StopAsync(), cancellation);
        output.WriteLine($"agent ended: the client's stream ended with an error after {took.TotalSeconds:0.00} s: {answer.Error!.Message}");
        var state = await cluster.WaitAsync(0, id, Proto.ShardPhase.Failed, cancellation);

        Assert.Contains("Rank 0 lost the connection", state.Reason, StringComparison.Ordinal);
        await cluster.Agents[1].StopAsync();
        Assert.False(Runs(victim));
    }

    [Fact(Timeout = 300_000)]
    public async Task Tunnel_SlowedThenCut_OnlySlowsThenFails()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var cluster = await MlxCluster.StartAsync(2, cancellation);
        await using var link = new LinkProxy(cluster.Agents[1].Url);
        cluster.Address = (rank, url) => rank == 1 ? link.Url : url;
        var id = await cluster.LaunchAsync(Model, Split, cancellation, contextTokens: 2048);
        object body = new { prompt = "Hello", max_tokens = 8, temperature = 0 };

        var fast = await cluster.AskAsync(body, cancellation);
        link.Delay = TimeSpan.FromMilliseconds(20);
        var slow = await cluster.AskAsync(body, cancellation);
        output.WriteLine($"8 tokens: {fast.Finished!.DecodeMs:0} ms, with 20 ms per piece of data {slow.Finished!.DecodeMs:0} ms");
        var (answer, took) = await FaultWhileAnsweringAsync(cluster, link.Cut, cancellation);
        output.WriteLine($"cut: the client's stream ended with an error after {took.TotalSeconds:0.00} s: {answer.Error!.Message}");
        var state = await cluster.WaitAsync(0, id, Proto.ShardPhase.Failed, cancellation);

        Assert.Equal(fast.Text, slow.Text);
        Assert.True(took < TimeSpan.FromSeconds(2) * Slowness, $"It took {took}.");
        Assert.Contains("lost the connection", state.Reason, StringComparison.Ordinal);
    }

    [Fact(Timeout = 240_000)]
    public async Task Start_EngineNeverReady_FailsAtItsLimitAndFreesTheOtherRank()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var script = new PythonScript("[ \"$2\" = clusterllm_mlx ] && exec sleep 300");
        (string, string?)[] limit = [("Engines:Mlx:ReadyTimeout", "00:00:20")];
        await using var cluster = await MlxCluster.StartAsync([limit, [.. limit, ("Engines:Mlx:Python", script.Path)]], cancellation);
        var watch = Stopwatch.StartNew();

        var error = await Assert.ThrowsAsync<ClusterStartException>(() => cluster.LaunchAsync(Model, Split, cancellation));
        output.WriteLine($"never ready, limit 20 s: failed after {watch.Elapsed.TotalSeconds:0.0} s: {error.Message}");

        Assert.Contains("Rank 1 was not ready within 20 s; it was starting Python", error.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Prepare_WrongVersionOnOneNode_IsRefusedOnBoth()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var script = new PythonScript("[ \"$2\" = clusterllm_mlx.probe ] && exec \"$PYTHON\" \"$@\" | sed 's/\"fault\": null/\"fault\": \"mlx-lm 0.31.0 is installed, 0.32.2 is needed\"/'; [ \"$2\" = clusterllm_mlx.probe ] && exit 0");
        await using var cluster = await MlxCluster.StartAsync([[], [("Engines:Mlx:Python", script.Path)]], cancellation);

        var error = await Assert.ThrowsAsync<ClusterStartException>(() => cluster.LaunchAsync(Model, Split, cancellation));
        output.WriteLine(error.Message);

        Assert.Contains("Rank 1 (node-2) can't use MLX", error.Message, StringComparison.Ordinal);
        Assert.Contains("mlx-lm 0.31.0 is installed, 0.32.2 is needed", error.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Prepare_WeightsMissingOnOneNode_NamesTheFile()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var partial = Directory.CreateTempSubdirectory("clusterllm-partial-");
        foreach (var file in Directory.GetFiles(TestModels.PathOf("llama-bf16-sharded")).Where(file => !file.EndsWith("00002-of-00002.safetensors", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(partial.FullName, Path.GetFileName(file)));
        }

        await using var cluster = await MlxCluster.StartAsync(1, cancellation);
        var spec = cluster.Specs(partial.FullName, [(0, LayersOf(partial.FullName))], 64, 1)[0];
        var prepared = await cluster.Agents[0].Shards.PrepareShardAsync(new Proto.PrepareShardRequest { Spec = spec }, cancellationToken: cancellation);
        partial.Delete(recursive: true);

        Assert.False(prepared.Ok);
        Assert.Contains("model-00002-of-00002.safetensors", Assert.Single(prepared.Problems).Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 240_000)]
    public async Task Start_OutOfMemoryOnOneNode_SaysSoAndStartsAgain()
    {
        var cancellation = TestContext.Current.CancellationToken;
        Assert.SkipUnless(Directory.Exists("/sys/fs/cgroup/memory") && Environment.UserName == "root", "This machine has no memory cgroup that this user can make.");
        var flag = Path.Combine(Path.GetTempPath(), $"clusterllm-limit-{Guid.NewGuid():N}");
        await File.WriteAllTextAsync(flag, "", cancellation);
        using var script = new PythonScript($"[ \"$2\" = clusterllm_mlx ] && [ -f {flag} ] && D=/sys/fs/cgroup/memory/clusterllm-$$ && mkdir $D && echo 40M > $D/memory.limit_in_bytes && echo $$ > $D/tasks");
        await using var cluster = await MlxCluster.StartAsync([[], [("Engines:Mlx:Python", script.Path)]], cancellation);
        var watch = Stopwatch.StartNew();

        var error = await Assert.ThrowsAsync<ClusterStartException>(() => cluster.LaunchAsync(Model, Split, cancellation));
        output.WriteLine($"out of memory: failed after {watch.Elapsed.TotalSeconds:0.0} s: {error.Message}");
        File.Delete(flag);
        await cluster.StopAsync(cancellation);
        foreach (var group in Directory.GetDirectories("/sys/fs/cgroup/memory", "clusterllm-*"))
        {
            Directory.Delete(group);
        }

        Assert.Contains("Rank 1 was killed (SIGKILL): by hand, or by the system because memory ran out", error.Message, StringComparison.Ordinal);
        await AssertStartsAgainAsync(cluster, cancellation);
    }

    /// <summary>Starts a long answer, waits for its first tokens, does what breaks it, and times until the stream has ended.</summary>
    private static async Task<(MlxAnswer Answer, TimeSpan Took)> FaultWhileAnsweringAsync(MlxCluster cluster, Action fault, CancellationToken cancellation)
    {
        var answer = new MlxAnswer();
        using var call = cluster.Call(LongBody, cancellation);
        var watch = new Stopwatch();
        await foreach (var happening in call.ResponseStream.ReadAllAsync(cancellation))
        {
            answer.Add(happening);
            if (answer.Chunks.Count == 3 && !watch.IsRunning)
            {
                watch.Start();
                fault();
            }
        }

        Assert.Null(answer.Finished);
        Assert.NotNull(answer.Error);
        return (answer, watch.Elapsed);
    }

    private static async Task AssertStartsAgainAsync(MlxCluster cluster, CancellationToken cancellation)
    {
        await cluster.LaunchAsync(Model, Split, cancellation);
        var answer = await cluster.AskAsync(new { prompt = "Hello", max_tokens = 3 }, cancellation);
        Assert.NotNull(answer.Finished);
    }

    private static void Signal(int process, string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", process.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private static bool Runs(int process) => Directory.Exists($"/proc/{process}");

    private static int LayersOf(string folder)
    {
        using var config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json")));
        return config.RootElement.GetProperty("num_hidden_layers").GetInt32();
    }
}
