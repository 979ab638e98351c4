using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ClusterLlm.Testing;

namespace ClusterLlm.Integration;

/// <summary>A second deployment beside the demo: another model, other nodes, other cuts.</summary>
public sealed class DeploymentTests(RunningCluster cluster)
{
    [Fact(Timeout = 120_000)]
    public async Task Deploy_ManualLayers_RunsAnswersAndStops()
    {
        var http = cluster.Http;
        var token = TestContext.Current.CancellationToken;
        var layers = new Dictionary<string, int[]> { ["node-3"] = [0, 5], ["node-1"] = [5, 7] };
        using var launched = await http.PostAsJsonAsync(
            "/api/deployments",
            new { model = TestModels.PathOf("llama-f32"), name = "tiny", layers, contextTokens = 256, concurrency = 2 },
            token);
        Assert.Equal(HttpStatusCode.Accepted, launched.StatusCode);
        var id = (await launched.Content.ReadFromJsonAsync<JsonElement>(token)).GetProperty("id").GetString()!;

        var states = await ClusterEvents.FollowAsync(http, id, "ready", token);
        var deployment = await cluster.GetAsync($"/api/deployments/{id}", token);
        using var completion = await http.PostAsJsonAsync("/v1/completions", new { model = "tiny", prompt = new[] { 1, 2, 3 }, max_tokens = 4, temperature = 0 }, token);
        using var stopped = await http.DeleteAsync($"/api/deployments/{id}", token);
        var after = await ClusterEvents.FollowAsync(http, id, "stopped", token);

        Assert.Equal("ready", states[^1]);
        Assert.Equal(
            [("node-3", 0, 5), ("node-1", 5, 2)],
            deployment.GetProperty("plan").GetProperty("stages").EnumerateArray().Select(stage => (
                stage.GetProperty("node").GetString()!, stage.GetProperty("firstLayer").GetInt32(), stage.GetProperty("layerCount").GetInt32())));
        Assert.Equal(HttpStatusCode.OK, completion.StatusCode);
        Assert.Equal(HttpStatusCode.Accepted, stopped.StatusCode);
        Assert.Equal("stopped", after[^1]);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("""{"model": 7}""", HttpStatusCode.BadRequest, "model")]
    [InlineData("""{"model": "no-such-model", "name": "x"}""", HttpStatusCode.NotFound, "no-such-model")]
    [InlineData("""{not json""", HttpStatusCode.BadRequest, "JSON")]
    [InlineData("""{"model": "x", "contextTokens": -1}""", HttpStatusCode.BadRequest, "contextTokens")]
    [InlineData("""{"model": "x", "contextTokenz": 1}""", HttpStatusCode.BadRequest, "contextTokenz")]
    public async Task Deploy_BadRequest_NamesTheField(string body, HttpStatusCode status, string named)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var answer = await cluster.Http.PostAsync("/api/deployments", content, TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Contains(named, text);
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact(Timeout = 60_000)]
    public async Task Deploy_LayersWithAGap_AreRefusedWithTheRange()
    {
        var layers = new Dictionary<string, int[]> { ["node-1"] = [0, 2], ["node-2"] = [3, 8] };
        using var answer = await cluster.Http.PostAsJsonAsync(
            "/api/deployments",
            new { model = TestModels.PathOf("demo-3m"), name = "gap", layers },
            TestContext.Current.CancellationToken);

        Assert.False(answer.IsSuccessStatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("""{"model":"demo","messages":[{"role":"user","content":"hi"}],"temperature":-1}""", HttpStatusCode.BadRequest, "temperature")]
    [InlineData("""{"model":"demo","messages":"hi"}""", HttpStatusCode.BadRequest, "messages")]
    [InlineData("""{"model":"demo","messages":[]}""", HttpStatusCode.BadRequest, "messages")]
    [InlineData("""{"model":"demo",""", HttpStatusCode.BadRequest, "JSON")]
    [InlineData("""{"model":"nobody","messages":[{"role":"user","content":"hi"}]}""", HttpStatusCode.NotFound, "nobody")]
    public async Task Chat_BadRequest_HasOpenAisErrorShape(string body, HttpStatusCode status, string named)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var answer = await cluster.Http.PostAsync("/v1/chat/completions", content, TestContext.Current.CancellationToken);
        var error = (await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("error");

        Assert.Equal(status, answer.StatusCode);
        Assert.Contains(named, error.GetProperty("message").GetString());
    }

    [Fact(Timeout = 60_000)]
    public async Task Chat_PromptLongerThanTheContext_SaysSo()
    {
        var tooLong = string.Join(' ', Enumerable.Repeat("shard", 3000));
        using var answer = await cluster.Http.PostAsJsonAsync(
            "/v1/chat/completions",
            new { model = "demo", messages = new[] { new { role = "user", content = tooLong } } },
            TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("context", text);
    }
}
