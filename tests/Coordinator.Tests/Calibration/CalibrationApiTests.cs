using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ClusterLlm.Coordinator.Tests.Fakes;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Tests.Calibration;

public sealed class CalibrationApiTests
{
    // What an unknown chip is planned with.
    private const double BandwidthBytesPerSecond = 40e9;
    private const double Share = 0.5;
    private const double LayerMilliseconds = 0.2;

    [Fact(Timeout = 120_000)]
    public async Task Calibrate_TwoModels_SolvesAndPlansWithTheMachinesOwnFigures()
    {
        var token = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        var (small, large) = (FakeModel.Llama("small"), FakeModel.Llama("large", layerBytes: 100_000_000, fingerprint: "f2"));
        await using var node = await FakeNode.StartAsync("node-1", token, small, large);
        await host.JoinAsync(token, node);
        var measured = new Queue<ModelDescription>([small, large]);
        node.Script = async (_, events, _) => await events.WriteAsync(
            new GenerateEvent { Finished = new() { FinishReason = "length", PromptTokens = 5, CompletionTokens = 51, DecodeMs = 50 * Step(measured.Dequeue()) } }, CancellationToken.None);
        using var client = host.CreateClient();

        using var answer = await client.PostAsync(new Uri("/api/nodes/node-1/calibrate", UriKind.Relative), null, token);
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>(token);

        Assert.True(answer.StatusCode == HttpStatusCode.OK, body.ToString());
        Assert.Equal(Share, body.GetProperty("calibration").GetProperty("bandwidthShare").GetDouble(), 0.02);
        Assert.Equal(LayerMilliseconds, body.GetProperty("calibration").GetProperty("layerMilliseconds").GetDouble(), 0.02);
        using var plan = await client.PostAsJsonAsync("/api/plans", new { model = "large", contextTokens = 64, concurrency = 1 }, token);
        var predicted = (await plan.Content.ReadFromJsonAsync<JsonElement>(token)).GetProperty("predicted").GetProperty("decodeTokensPerSecond");
        Assert.Contains("calibrated", predicted.GetProperty("source").GetString(), StringComparison.Ordinal);
        Assert.Equal(1e3 / Step(large), predicted.GetProperty("value").GetDouble(), 1.5);
    }

    [Fact(Timeout = 120_000)]
    public async Task Calibrate_OneModelOnly_SaysWhatIsMissing()
    {
        var token = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var node = await FakeNode.StartAsync("node-1", token, FakeModel.Llama());
        await host.JoinAsync(token, node);
        using var client = host.CreateClient();

        using var answer = await client.PostAsync(new Uri("/api/nodes/node-1/calibrate", UriKind.Relative), null, token);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Contains("two models of different size", await answer.Content.ReadAsStringAsync(token), StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Calibrate_UnknownNode_IsAProblem()
    {
        var token = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        using var client = host.CreateClient();

        using var answer = await client.PostAsync(new Uri("/api/nodes/node-9/calibrate", UriKind.Relative), null, token);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    /// <summary>Milliseconds per token of a machine with the constants above.</summary>
    private static double Step(ModelDescription model) =>
        (((model.LayerCount * model.LayerBytes[0]) + model.EmbeddingBytes) / (Share * BandwidthBytesPerSecond) * 1e3) + (model.LayerCount * LayerMilliseconds);
}
