using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using ClusterLlm.Testing;

namespace ClusterLlm.Integration;

/// <summary>Real MLX behind the gateway: a model that is cut unevenly over three nodes.</summary>
[Collection(MlxClusterTests.Name)]
public sealed class MlxTests(MlxCluster mlx, ITestOutputHelper output)
{
    private const int BrokenRequests = 1000;

    [Fact(Timeout = 900_000)]
    public async Task Deploy_OnMlxNodes_AnswersAsTheBuiltinEngineAndOutlivesBrokenRequests()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await mlx.StartAsync(cancellation);
        await mlx.DeployAsync("tiny-builtin", "builtin", new() { ["node-3"] = [0, 4], ["node-1"] = [4, 7] }, cancellation);

        await AssertSameAnswersAsync(mlx.Cluster, cancellation);
        await SendBrokenAsync(mlx.Cluster, cancellation);
        await AssertSameAnswersAsync(mlx.Cluster, cancellation);
    }

    private static async Task AssertSameAnswersAsync(RunningCluster cluster, CancellationToken cancellation)
    {
        foreach (var prompt in (string[])["Hello world", "x=y+1;", "the theme of the thesis"])
        {
            var answers = new List<(string? Text, string Usage, string Logprobs)>();
            foreach (var model in (string[])["tiny-builtin", MlxCluster.Model])
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
            var body = ForModel(BrokenBodies.Make(index, isChat));
            try
            {
                var (status, text) = await PostAsync(cluster, isChat ? "/v1/chat/completions" : "/v1/completions", body, token);
                Assert.True((int)status < 500, $"body {index}: {status} {text}");
                statuses.AddOrUpdate(status, 1, (_, count) => count + 1);
            }
            catch (OperationCanceledException error) when (!token.IsCancellationRequested)
            {
                Assert.Fail($"body {index} had no answer: {error.Message}\n{Encoding.UTF8.GetString(body)}");
            }
        });
        output.WriteLine($"{string.Join(", ", statuses.Select(status => $"{status.Value} x {(int)status.Key}"))} in {watch.Elapsed.TotalSeconds:0.0} s");
        Assert.True(statuses[HttpStatusCode.BadRequest] > BrokenRequests / 2);
        Assert.True(statuses[HttpStatusCode.OK] > 50);
    }

    private static async Task<(HttpStatusCode Status, string Text)> PostAsync(RunningCluster cluster, string path, byte[] body, CancellationToken cancellation)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new("application/json");
        using var response = await cluster.Http.PostAsync(path, content, cancellation);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(cancellation));
    }

    /// <summary>The gateway routes by the model's name, which has to stand before what is broken.</summary>
    private static byte[] ForModel(byte[] body) => body is [(byte)'{', .. { Length: > 1 } rest] ? [.. "{\"model\": \"tiny-mlx\", "u8, .. rest] : body;
}
