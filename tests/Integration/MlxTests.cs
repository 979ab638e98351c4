using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ClusterLlm.AppHost.Topology;
using ClusterLlm.Testing;

namespace ClusterLlm.Integration;

/// <summary>Real MLX behind the gateway: a cluster whose agents all have it, and a model that is cut unevenly over them.</summary>
public sealed class MlxTests(ITestOutputHelper output)
{
    private const string Cause = "mlx is the fastest engine that every candidate node has for this model.";
    private const int BrokenRequests = 1000;

    [Fact(Timeout = 900_000)]
    public async Task Deploy_OnMlxNodes_AnswersAsTheBuiltinEngineAndOutlivesBrokenRequests()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var watch = Stopwatch.StartNew();
        await using var cluster = await StartAsync();
        output.WriteLine($"cluster: {watch.Elapsed.TotalSeconds:0} s");
        await WaitForMlxAsync(cluster, cancellation);
        output.WriteLine($"all nodes have mlx: {watch.Elapsed.TotalSeconds:0} s");
        await DeployAsync(cluster, "tiny-builtin", "builtin", new() { ["node-3"] = [0, 4], ["node-1"] = [4, 7] }, cancellation);
        await DeployAsync(cluster, "tiny-mlx", "auto", new() { ["node-3"] = [0, 1], ["node-2"] = [1, 3], ["node-1"] = [3, 7] }, cancellation);
        output.WriteLine($"both deployments ready: {watch.Elapsed.TotalSeconds:0} s");

        await AssertSameAnswersAsync(cluster, cancellation);
        await SendBrokenAsync(cluster, cancellation);
        await AssertSameAnswersAsync(cluster, cancellation);
        output.WriteLine($"all: {watch.Elapsed.TotalSeconds:0} s");
    }

    private static async Task<RunningCluster> StartAsync()
    {
        var cluster = new RunningCluster
        {
            Demo = false,
            ExtraEnvironment = new Dictionary<string, SettingValue> { ["CLUSTERLLM__Engines__Mlx__Python"] = MlxPython.Require() },
        };
        await cluster.InitializeAsync();
        return cluster;
    }

    /// <summary>Agents join at once and tell of MLX when its Python has answered.</summary>
    private static async Task WaitForMlxAsync(RunningCluster cluster, CancellationToken cancellation)
    {
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        while (await poll.WaitForNextTickAsync(cancellation))
        {
            var nodes = (await cluster.GetAsync("/api/nodes", cancellation)).ToString();
            if (nodes.Split("mlx 0.32.4, mlx-lm 0.32.2").Length == 4)
            {
                return;
            }
        }
    }

    private async Task DeployAsync(RunningCluster cluster, string name, string engine, Dictionary<string, int[]> layers, CancellationToken cancellation)
    {
        var request = new { model = TestModels.PathOf("llama-f32"), name, engine, layers, contextTokens = 256, concurrency = 4 };
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        var launched = await cluster.Http.PostAsJsonAsync("/api/deployments", request, cancellation);
        while (launched.StatusCode == HttpStatusCode.NotFound && await poll.WaitForNextTickAsync(cancellation))
        {
            // The nodes have not told of their models yet.
            launched = await cluster.Http.PostAsJsonAsync("/api/deployments", request, cancellation);
        }

        var body = await launched.Content.ReadAsStringAsync(cancellation);
        Assert.True(launched.StatusCode == HttpStatusCode.Accepted, body);
        var id = JsonSerializer.Deserialize<JsonElement>(body).GetProperty("id").GetString()!;
        await ClusterEvents.FollowAsync(cluster.Http, id, "ready", cancellation);
        var plan = (await cluster.GetAsync($"/api/deployments/{id}", cancellation)).GetProperty("plan");
        output.WriteLine($"{name}: {plan.GetProperty("engine")}, {plan.GetProperty("engineReason")}");
        if (engine == "auto")
        {
            Assert.Equal(("mlx", Cause), (plan.GetProperty("engine").GetString(), plan.GetProperty("engineReason").GetString()));
        }
    }

    private static async Task AssertSameAnswersAsync(RunningCluster cluster, CancellationToken cancellation)
    {
        foreach (var prompt in (string[])["Hello world", "x=y+1;", "the theme of the thesis"])
        {
            var answers = new List<(string? Text, string Usage, string Logprobs)>();
            foreach (var model in (string[])["tiny-builtin", "tiny-mlx"])
            {
                using var response = await cluster.Http.PostAsJsonAsync("/v1/completions", new { model, prompt, max_tokens = 16, temperature = 0, logprobs = 2 }, cancellation);
                var answer = await response.Content.ReadFromJsonAsync<JsonElement>(cancellation);
                Assert.True(response.StatusCode == HttpStatusCode.OK, answer.ToString());
                var choice = answer.GetProperty("choices")[0];
                var usage = answer.GetProperty("usage");
                answers.Add((choice.GetProperty("text").GetString(), $"{usage.GetProperty("prompt_tokens")} {usage.GetProperty("completion_tokens")}", choice.GetProperty("logprobs").GetProperty("tokens").ToString()));
            }

            Assert.Equal(answers[0], answers[1]);
        }
    }

    private async Task SendBrokenAsync(RunningCluster cluster, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        var statuses = new ConcurrentDictionary<HttpStatusCode, int>();
        var options = new ParallelOptions { MaxDegreeOfParallelism = 6, CancellationToken = cancellation };
        await Parallel.ForEachAsync(Enumerable.Range(0, BrokenRequests), options, async (index, token) =>
        {
            var isChat = index % 2 != 0;
            using var content = new ByteArrayContent(ForModel(BrokenBodies.Make(index, isChat)));
            content.Headers.ContentType = new("application/json");
            using var response = await cluster.Http.PostAsync(isChat ? "/v1/chat/completions" : "/v1/completions", content, token);
            var text = await response.Content.ReadAsStringAsync(token);
            Assert.True((int)response.StatusCode < 500, $"body {index}: {response.StatusCode} {text}");
            statuses.AddOrUpdate(response.StatusCode, 1, (_, count) => count + 1);
        });
        output.WriteLine($"{string.Join(", ", statuses.Select(status => $"{status.Value} x {(int)status.Key}"))} in {watch.Elapsed.TotalSeconds:0.0} s");
        Assert.True(statuses[HttpStatusCode.BadRequest] > BrokenRequests / 2);
        Assert.True(statuses[HttpStatusCode.OK] > 50);
    }

    /// <summary>The gateway routes by the model's name, which has to stand before what is broken.</summary>
    private static byte[] ForModel(byte[] body) => body is [(byte)'{', .. { Length: > 1 } rest] ? [.. "{\"model\": \"tiny-mlx\", "u8, .. rest] : body;
}
