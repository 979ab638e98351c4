using System.Text.Json;
using ClusterLlm.Testing;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx;

/// <summary>Recorded answers through agents and real MLX processes, on one, two and three nodes with uneven cuts.</summary>
[Collection(MlxProcesses.Name)]
public sealed class MlxGoldenTests(ITestOutputHelper output)
{
    [Theory(Timeout = 120_000)]
    [InlineData("llama-f32", "5-7,0-5")]
    public async Task Generate_TinyModel_GivesTheGoldenTokens(string model, string cuts)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var ranges = Cuts(cuts);
        await using var cluster = await MlxCluster.StartAsync(ranges.Length, cancellation);
        await cluster.LaunchAsync(TestModels.PathOf(model), ranges, cancellation);

        foreach (var (prompt, tokens, logprobs) in Cases(model))
        {
            var answer = await cluster.AskAsync(
                new { model = "m", prompt, max_tokens = 16, temperature = 0, logprobs = 1, ignore_eos = true, return_tokens_as_token_ids = true }, cancellation);

            output.WriteLine($"{model} {cuts}: {answer.Finished} {answer.Error}");
            Assert.Equal(tokens, answer.Tokens);
            Assert.Equal(logprobs.Length, answer.Logprobs.Count);
            Assert.Equal(16u, answer.Finished!.CompletionTokens);
        }
    }

    private static (int First, int End)[] Cuts(string text) =>
        [.. text.Split(',').Select(part => part.Split('-')).Select(ends => (int.Parse(ends[0], System.Globalization.CultureInfo.InvariantCulture), int.Parse(ends[1], System.Globalization.CultureInfo.InvariantCulture)))];

    private static IEnumerable<(int[] Prompt, int[] Tokens, double[] Logprobs)> Cases(string model)
    {
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(TestModels.PathOf(model), "golden.json")));
        return [.. golden.RootElement.GetProperty("cases").EnumerateArray().Select(item => (
            item.GetProperty("prompt_ids").Deserialize<int[]>()!,
            item.GetProperty("native_tokens").Deserialize<int[]>()!,
            item.GetProperty("logprobs").Deserialize<double[]>()!))];
    }
}
