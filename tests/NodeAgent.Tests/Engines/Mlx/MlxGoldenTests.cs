using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ClusterLlm.Testing;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx;

/// <summary>Recorded answers through agents and real MLX processes, on one, two and three nodes with uneven cuts.</summary>
[Collection(MlxProcesses.Name)]
public sealed class MlxGoldenTests(ITestOutputHelper output)
{
    [Theory(Timeout = 240_000)]
    [InlineData("llama-f32", "0-7")]
    [InlineData("llama-f32", "6-7,1-6,0-1")]
    [InlineData("llama-f16", "1-#,0-1")]
    [InlineData("llama-bf16-sharded", "2-#,0-2")]
    [InlineData("llama3-rope-scaling", "1-#,0-1")]
    [InlineData("qwen2-bf16", "2-#,0-2")]
    [InlineData("qwen2-8bit-g32", "2-#,1-2,0-1")]
    [InlineData("qwen3-4bit-g64", "1-#,0-1")]
    public async Task Generate_TinyModel_GivesTheGoldenTokens(string model, string cuts)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var folder = TestModels.PathOf(model);
        await using var cluster = await LaunchAsync(folder, cuts, cancellation);

        foreach (var item in Cases(Path.Combine(folder, "golden.json")))
        {
            var answer = await AskAsync(cluster, item, 16, cancellation);

            Assert.Equal(Integers(item, "native_tokens"), answer.Tokens);
            Assert.Equal(16u, answer.Finished!.CompletionTokens);
            Assert.Equal(16, answer.CountedTokens);
        }
    }

    [Theory(Timeout = 300_000)]
    [InlineData("demo-3m", "golden.json", "1-#,0-1")]
    [InlineData("SmolLM2-135M-Instruct-4bit", "../golden/smollm2-135m-4bit.json", "0-#")]
    [InlineData("SmolLM2-135M-Instruct-4bit", "../golden/smollm2-135m-4bit.json", "22-#,0-22")]
    [InlineData("SmolLM2-135M-Instruct-4bit", "../golden/smollm2-135m-4bit.json", "25-#,9-25,0-9")]
    public async Task Generate_RealModel_GivesTheGoldenTokens(string model, string golden, string cuts)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var folder = SharedFiles.Require($"models/{model}");
        await using var cluster = await LaunchAsync(folder, cuts, cancellation);
        var cases = Cases(Path.Combine(folder, golden)).Take(2);

        foreach (var item in cases)
        {
            const int Count = 12;
            var answer = await AskAsync(cluster, item, Count, cancellation);
            var certain = Certain(item, Count);

            output.WriteLine($"{model} {cuts} {item.GetProperty("name")}: {certain} tokens compared, {answer.Finished}");
            Assert.Equal(Integers(item, "tokens")[..certain], answer.Tokens[..certain]);
            Assert.All(Numbers(item, "logprobs")[..certain].Zip(answer.Logprobs), pair => Assert.Equal(pair.First, pair.Second, 5e-2));
        }
    }

    private async Task<MlxCluster> LaunchAsync(string folder, string cuts, CancellationToken cancellation)
    {
        using var config = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(folder, "config.json"), cancellation));
        var ranges = Cuts(cuts, config.RootElement.GetProperty("num_hidden_layers").GetInt32());
        var watch = Stopwatch.StartNew();
        // The golden files say more than the gate's own reference, which would start one more process.
        var cluster = await MlxCluster.StartAsync(ranges.Length, cancellation, ("Engines:Mlx:Reference", "Off"));
        await cluster.LaunchAsync(folder, ranges, cancellation);
        output.WriteLine($"{Path.GetFileName(folder)} {cuts}: ready after {watch.Elapsed.TotalSeconds:0.0} s");
        return cluster;
    }

    private static async Task<MlxAnswer> AskAsync(MlxCluster cluster, JsonElement item, int count, CancellationToken cancellation)
    {
        var answer = await cluster.AskAsync(
            new { prompt = Integers(item, "prompt_ids"), max_tokens = count, temperature = 0, logprobs = 1, ignore_eos = true, return_tokens_as_token_ids = true },
            cancellation);
        Assert.Null(answer.Error);
        return answer;
    }

    private static (int First, int End)[] Cuts(string text, int layers) =>
        [.. text.Replace("#", layers.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal).Split(',')
            .Select(part => part.Split('-').Select(end => int.Parse(end, CultureInfo.InvariantCulture)).ToArray())
            .Select(ends => (ends[0], ends[1]))];

    private static JsonElement[] Cases(string path)
    {
        using var golden = JsonDocument.Parse(File.ReadAllBytes(path));
        var cases = golden.RootElement.TryGetProperty("cases", out var found) ? found : golden.RootElement.GetProperty("prompts");
        return [.. cases.EnumerateArray().Select(item => item.Clone())];
    }

    /// <summary>Tokens before the first one that 16-bit arithmetic may choose otherwise: the golden file is computed in float32.</summary>
    private static int Certain(JsonElement item, int count)
    {
        const double Close = 0.2;
        return item.TryGetProperty("margins", out _) ? Numbers(item, "margins").Take(count).TakeWhile(margin => margin > Close).Count() : count;
    }

    private static int[] Integers(JsonElement item, string name) => item.GetProperty(name).Deserialize<int[]>()!;

    private static double[] Numbers(JsonElement item, string name) => item.GetProperty(name).Deserialize<double[]>()!;
}
