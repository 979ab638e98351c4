using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ClusterLlm.Integration.Comparisons;
using ClusterLlm.Testing;

namespace ClusterLlm.Integration;

/// <summary>What is measured of real MLX: comparisons with the builtin engine, a node's constants, and what its cache of prompts saves.</summary>
[Collection(MlxClusterTests.Name)]
public sealed class MlxMeasuringTests(MlxCluster mlx, ITestOutputHelper output)
{
    private const string Version = "mlx 0.32.4, mlx-lm 0.32.2";
    private const int Rounds = 2;

    [Fact(Timeout = 300_000)]
    public async Task Compare_MlxAndBuiltin_MeasuresBothAndNoPromptComesFromACache()
    {
        var token = TestContext.Current.CancellationToken;
        await mlx.StartAsync(token);
        var request = new
        {
            model = TestModels.PathOf("demo-3m"),
            nodes = new[] { "node-1", "node-2" },
            engines = new[] { "mlx", "builtin" },
            workloads = new[] { new { promptTokens = 32, outputTokens = 8 } },
            concurrency = new[] { 1, 3 },
            rounds = Rounds,
            mostRounds = Rounds,
        };

        var seen = await ComparisonCalls.EndAsync(mlx.Cluster.Http, await ComparisonCalls.StartAsync(mlx.Cluster.Http, request, token), token);

        output.WriteLine(seen.ToString());
        Assert.Equal("completed", seen.State);
        foreach (var engine in request.engines)
        {
            Assert.Equal(2, seen.States.Keys.Count(label => label.EndsWith($" alone ({engine})", StringComparison.Ordinal)));
            // Where it is cut depends on how fast each node was seen to be alone.
            Assert.Contains(seen.States.Keys, label => label.Contains(" cut ", StringComparison.Ordinal) && label.EndsWith($" ({engine})", StringComparison.Ordinal));
        }

        Assert.All(seen.States, candidate =>
        {
            Assert.Equal(("measured", null), candidate.Value);
            Assert.Equal(Rounds * request.concurrency.Length, seen.SamplesOf(candidate.Key));
            Assert.Equal(request.concurrency.Length, seen.PredictedCellsOf(candidate.Key));
        });
        // Both engines answer alike, so a wrong one would be seen.
        Assert.All(seen.Checked, one => Assert.Equal("as the others", one.Answer));
        Assert.Equal(seen.States.Keys.Count(label => label.EndsWith(" (mlx)", StringComparison.Ordinal)), seen.Checked.Count(one => one.Engine == Version));
        Assert.Equal(0, seen.CachedTokens);
    }

    /// <summary>The other half of the test above: a cache of MLX is told when there is one.</summary>
    [Fact(Timeout = 300_000)]
    public async Task Complete_SamePromptAgain_TellsTheCachedTokens()
    {
        var token = TestContext.Current.CancellationToken;
        await mlx.StartAsync(token);
        var prompt = $"{Guid.NewGuid():N} is asked twice, with a text that is longer than a beginning by chance.";

        var first = await UsageAsync(prompt, token);
        var second = await UsageAsync(prompt, token);

        Assert.Equal(0, Cached(first));
        // The last token always runs, for its logits.
        Assert.Equal(first.GetProperty("prompt_tokens").GetInt32() - 1, Cached(second));
    }

    [Fact(Timeout = 300_000)]
    public async Task Calibrate_NodeWithMlx_MeasuresItAndPlansWithIt()
    {
        var token = TestContext.Current.CancellationToken;
        await mlx.StartAsync(token);

        using var answer = await mlx.Cluster.Http.PostAsync("/api/nodes/node-3/calibrate", null, token);

        var measured = await answer.Content.ReadAsStringAsync(token);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, measured);
        output.WriteLine(measured);
        var calibration = JsonSerializer.Deserialize<JsonElement>(measured).GetProperty("calibration");
        Assert.Equal(("mlx", Version), (calibration.GetProperty("engine").GetString(), calibration.GetProperty("engineVersion").GetString()));
        Assert.True(calibration.GetProperty("bandwidthShare").GetDouble() > 0, measured);
        using var planned = await mlx.Cluster.Http.PostAsJsonAsync("/api/plans", new { model = "demo-3m", engine = "mlx", nodes = new[] { "node-3" } }, token);
        var predicted = (await planned.Content.ReadFromJsonAsync<JsonElement>(token)).GetProperty("predicted").GetProperty("decodeTokensPerSecond");
        Assert.Equal("calibrated on these machines", predicted.GetProperty("source").GetString());
    }

    private static int Cached(JsonElement usage) => usage.GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();

    private async Task<JsonElement> UsageAsync(string prompt, CancellationToken cancellationToken)
    {
        using var response = await mlx.Cluster.Http.PostAsJsonAsync("/v1/completions", new { model = MlxCluster.Model, prompt, max_tokens = 4, temperature = 0 }, cancellationToken);
        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        Assert.True(response.IsSuccessStatusCode, body);
        return JsonSerializer.Deserialize<JsonElement>(body).GetProperty("usage");
    }
}
