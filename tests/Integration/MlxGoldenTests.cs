using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using ClusterLlm.Testing;

namespace ClusterLlm.Integration;

/// <summary>Recorded answers of the models, asked for over HTTP: gateway, agents and real MLX processes, on one, two and three nodes with uneven cuts.</summary>
[Collection(MlxClusterTests.Name)]
public sealed class MlxGoldenTests(MlxCluster mlx, ITestOutputHelper output)
{
    private const string SmolLm2 = "SmolLM2-135M-Instruct-4bit";
    private const int Count = 12;

    /// <param name="stages">Node and end of its layers, the first stage first.</param>
    [Theory(Timeout = 300_000)]
    [InlineData(SmolLm2, "node-2:30")]
    [InlineData(SmolLm2, "node-1:22 node-3:30")]
    [InlineData(SmolLm2, "node-3:9 node-1:25 node-2:30")]
    [InlineData("demo-3m", "node-2:1 node-3:8")]
    [InlineData("qwen2-8bit-g32", "node-1:1 node-2:2 node-3:#")]
    public async Task Complete_GoldenPrompts_GivesTheGoldenTokens(string model, string stages)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var (folder, golden) = model == SmolLm2
            ? (SharedFiles.Require($"models/{SmolLm2}"), SharedFiles.Require("models/golden/smollm2-135m-4bit.json"))
            : (TestModels.PathOf(model), Path.Combine(TestModels.PathOf(model), "golden.json"));
        await mlx.StartAsync(cancellation);
        var watch = Stopwatch.StartNew();
        var id = await mlx.DeployAsync(folder, "golden", "mlx", await PlanAsync(folder, stages, cancellation), cancellation);
        var ready = watch.Elapsed;

        // The agents' own tests ask more; SmolLM2 takes a second for two to eight tokens here.
        var shortestFirst = (await CasesAsync(golden, cancellation)).OrderBy(item => item.GetProperty("prompt_ids").GetArrayLength());
        foreach (var item in shortestFirst.Take(model == SmolLm2 ? 1 : 2))
        {
            var (tokens, logprobs, counted) = await AskAsync(item, cancellation);
            var certain = Certain(item);
            Assert.Equal((Count, true), (counted, certain > 0));
            Assert.Equal(Expected(item)[..certain], tokens[..certain]);
            // Of a tiny model only those of float32 are recorded.
            Assert.All(IsTiny(item) ? [] : Read<double>(item, "logprobs")[..certain].Zip(logprobs), pair => Assert.Equal(pair.First, pair.Second, 5e-2));
        }

        output.WriteLine($"{model} on {stages}: ready after {ready.TotalSeconds:0.0} s, answered after {watch.Elapsed.TotalSeconds:0.0} s");
        using var stopped = await mlx.Cluster.Http.DeleteAsync($"/api/deployments/{id}", cancellation);
        await ClusterEvents.FollowAsync(mlx.Cluster.Http, id, "stopped", cancellation);
    }

    private async Task<(int[] Tokens, double[] Logprobs, int Counted)> AskAsync(JsonElement item, CancellationToken cancellation)
    {
        var body = new { model = "golden", prompt = Read<int>(item, "prompt_ids"), max_tokens = Count, temperature = 0, logprobs = 1, ignore_eos = true, return_tokens_as_token_ids = true };
        using var response = await mlx.Cluster.Http.PostAsJsonAsync("/v1/completions", body, cancellation);
        var text = await response.Content.ReadAsStringAsync(cancellation);
        Assert.True(response.IsSuccessStatusCode, text);
        var answer = JsonSerializer.Deserialize<JsonElement>(text);
        var logprobs = answer.GetProperty("choices")[0].GetProperty("logprobs");
        var tokens = Read<string>(logprobs, "tokens").Select(token => int.Parse(token["token_id:".Length..], CultureInfo.InvariantCulture));
        return ([.. tokens], Read<double>(logprobs, "token_logprobs"), answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    private static async Task<Dictionary<string, int[]>> PlanAsync(string folder, string stages, CancellationToken cancellation)
    {
        var config = JsonSerializer.Deserialize<JsonElement>(await File.ReadAllBytesAsync(Path.Combine(folder, "config.json"), cancellation));
        var plan = new Dictionary<string, int[]>();
        var first = 0;
        foreach (var stage in stages.Replace("#", config.GetProperty("num_hidden_layers").ToString(), StringComparison.Ordinal).Split(' ').Select(stage => stage.Split(':')))
        {
            var end = int.Parse(stage[1], CultureInfo.InvariantCulture);
            plan.Add(stage[0], [first, end]);
            first = end;
        }

        return plan;
    }

    private static async Task<IEnumerable<JsonElement>> CasesAsync(string path, CancellationToken cancellation)
    {
        var golden = JsonSerializer.Deserialize<JsonElement>(await File.ReadAllBytesAsync(path, cancellation));
        return (golden.TryGetProperty("cases", out var cases) ? cases : golden.GetProperty("prompts")).EnumerateArray();
    }

    /// <summary>Tiny models have tokens of 16-bit arithmetic too, which is what runs here.</summary>
    private static int[] Expected(JsonElement item) => Read<int>(item, IsTiny(item) ? "native_tokens" : "tokens");

    private static bool IsTiny(JsonElement item) => item.TryGetProperty("native_tokens", out _);

    /// <summary>Tokens before the first one that 16-bit arithmetic may choose otherwise: the golden files are computed in float32.</summary>
    private static int Certain(JsonElement item)
    {
        const double Close = 0.2;
        return item.TryGetProperty("margins", out _) ? Read<double>(item, "margins").Take(Count).TakeWhile(margin => margin > Close).Count() : Count;
    }

    private static T[] Read<T>(JsonElement item, string name) => item.GetProperty(name).Deserialize<T[]>()!;
}
