using System.Net;
using System.Text;
using System.Text.Json;
using ClusterLlm.Coordinator.Tests.Fakes;

namespace ClusterLlm.Coordinator.Tests.Deployments;

/// <summary>The answers of the API to good and bad requests, with one node that has one model.</summary>
public sealed class DeploymentApiTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task Plans_ModelThatFits_ShowsThePlanAndChangesNothing()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var node = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama());
        await host.JoinAsync(cancelled, node);

        var (status, body) = await PostAsync(host, "/api/plans", """{"model": "tiny", "contextTokens": 64, "concurrency": 1}""");

        Assert.Equal(HttpStatusCode.OK, status);
        var stage = Assert.Single(body.GetProperty("plan").GetProperty("stages").EnumerateArray());
        Assert.Equal(("node-1", 0, 6), (stage.GetProperty("node").GetString(), stage.GetProperty("firstLayer").GetInt32(), stage.GetProperty("layerCount").GetInt32()));
        Assert.Empty((await host.GetAsync("/api/deployments", cancelled)).EnumerateArray());
        Assert.Empty(node.Shards.Calls);

        // What "curl -d" sends.
        using var http = host.CreateClient();
        using var form = new StringContent("""{"model": "tiny"}""", Encoding.UTF8, "application/x-www-form-urlencoded");
        using var answer = await http.PostAsync("/api/plans", form, cancelled);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact(Timeout = 120_000)]
    public async Task OpenApi_DescribesTheClusterApi()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        var paths = (await host.GetAsync("/openapi/v1.json", cancelled)).GetProperty("paths");
        var body = paths.GetProperty("/api/deployments").GetProperty("post").GetProperty("requestBody").ToString();
        Assert.Contains("contextTokens", body, StringComparison.Ordinal);
        Assert.True(paths.TryGetProperty("/api/nodes/{id}/drain", out _));
    }

    [Fact(Timeout = 120_000)]
    public async Task Post_BadRequests_AreRefusedAndTheNextOneWorks()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var node = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama(), FakeModel.Llama("huge", layerBytes: 1UL << 40));
        await host.JoinAsync(cancelled, node);

        await ExpectAsync(host, "{", HttpStatusCode.BadRequest, "errors", "body");
        await ExpectAsync(host, """{"model": "tiny", "contextToken": 5}""", HttpStatusCode.BadRequest, "errors", "'contextTokens' is near");
        await ExpectAsync(host, """{"model": "tinny"}""", HttpStatusCode.NotFound, "nearest", "tiny");
        await ExpectAsync(host, """{"model": "/no/such/folder"}""", HttpStatusCode.NotFound, "detail", "/no/such/folder");
        await ExpectAsync(host, """{"model": "huge"}""", HttpStatusCode.UnprocessableEntity, "rejections", "memory");
        await ExpectAsync(host, """{"model": "tiny", "contextTokens": 100000}""", HttpStatusCode.UnprocessableEntity, "rejections", "100000");
        await ExpectAsync(host, """{"model": "tiny", "nodes": ["node-7"]}""", HttpStatusCode.UnprocessableEntity, "rejections", "node-7");
        await ExpectAsync(host, """{"model": "tiny", "engine": "mlx"}""", HttpStatusCode.UnprocessableEntity, "rejections", "mlx");
        await ExpectAsync(host, """{"model": "tiny", "layers": {"node-1": [0, 5]}}""", HttpStatusCode.UnprocessableEntity, "rejections", "6");
        await ExpectAsync(host, $$"""{"model": "{{new string('x', 300_000)}}"}""", HttpStatusCode.RequestEntityTooLarge, "detail", "262144");

        var id = await host.DeployAsync(new { model = "tiny", name = "demo" }, cancelled);
        await host.WaitForStateAsync(id, "ready", cancelled);
        await ExpectAsync(host, """{"model": "tiny", "name": "demo"}""", HttpStatusCode.Conflict, "detail", id);
    }

    [Fact(Timeout = 120_000)]
    public async Task Get_UnknownDeployment_IsAProblemWithNearestNames()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var node = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama());
        await host.JoinAsync(cancelled, node);
        await host.DeployAsync(new { model = "tiny", name = "demo" }, cancelled);

        using var http = host.CreateClient();
        foreach (var path in new[] { "/api/deployments/demmo", "/api/deployments/demmo/events" })
        {
            using var answer = await http.GetAsync(path, cancelled);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.Contains("demo", await answer.Content.ReadAsStringAsync(cancelled), StringComparison.Ordinal);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Restart_ReadyDeployment_StartsANewGeneration()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var node = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama());
        await host.JoinAsync(cancelled, node);
        var id = await host.DeployAsync(new { model = "tiny", name = "demo" }, cancelled);
        await host.WaitForStateAsync(id, "ready", cancelled);

        using var answer = await host.PostAsync("/api/deployments/demo/restart", new { }, cancelled);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        await host.WaitAsync($"/api/deployments/{id}/events", "the new generation to be ready", state =>
            state.GetProperty("state").GetString() == "ready" && state.GetProperty("generation").GetInt32() > 1, cancelled);

        Assert.Equal(ClusterLlm.Protos.V1.ShardPhase.Ready, Assert.Single(node.Shards.States).Phase);
        Assert.Equal(2, node.Shards.Calls.Count(call => call.StartsWith("start", StringComparison.Ordinal)));
    }

    [Fact(Timeout = 120_000)]
    public async Task Post_MemoryPromisedToAnother_IsRefusedUntilThatStops()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var node = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama(layerBytes: 100_000_000));
        await host.JoinAsync(cancelled, node);
        var id = await host.DeployAsync(new { model = "tiny", name = "first" }, cancelled);

        await ExpectAsync(host, """{"model": "tiny", "name": "second"}""", HttpStatusCode.UnprocessableEntity, "rejections", "node-1");

        await host.WaitForStateAsync(id, "ready", cancelled);
        using var http = host.CreateClient();
        using var stop = await http.DeleteAsync("/api/deployments/first", cancelled);
        await host.WaitForStateAsync(id, "stopped", cancelled);
        await host.WaitForStateAsync(await host.DeployAsync(new { model = "tiny", name = "second" }, cancelled), "ready", cancelled);
    }

    [Fact(Timeout = 120_000)]
    public async Task Delete_WhileLoading_StopsEverything()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var node = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama());
        node.Shards.HoldLoading = true;
        await host.JoinAsync(cancelled, node);
        var id = await host.DeployAsync(new { model = "tiny" }, cancelled);
        var loading = await host.WaitAsync($"/api/deployments/{id}/events", "half to be loaded", state => state.GetProperty("progress").GetDouble() == 0.5, cancelled);
        Assert.Equal("loading", loading.GetProperty("state").GetString());

        using var http = host.CreateClient();
        using var stop = await http.DeleteAsync($"/api/deployments/{id}", cancelled);
        await host.WaitForStateAsync(id, "stopped", cancelled);
        Assert.Empty(node.Shards.States);
    }

    [Fact(Timeout = 120_000)]
    public async Task Chat_WithADeployment_IsAnsweredByRankZeroOnceItIsReady()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var node = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama());
        node.Shards.HoldLoading = true;
        await host.JoinAsync(cancelled, node);
        var chat = new { model = "demo", messages = new[] { new { role = "user", content = "Hi" } } };
        using (var none = await host.PostAsync("/v1/chat/completions", chat, cancelled))
        {
            Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
        }

        var id = await host.DeployAsync(new { model = "tiny", name = "demo" }, cancelled);
        await host.WaitForStateAsync(id, "loading", cancelled);
        using (var early = await host.PostAsync("/v1/chat/completions", chat, cancelled))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, early.StatusCode);
            Assert.NotNull(early.Headers.RetryAfter);
        }

        await node.Shards.NextStartAsync(cancelled);
        node.Shards.Become(id, ClusterLlm.Protos.V1.ShardPhase.Ready);
        await host.WaitForStateAsync(id, "ready", cancelled);
        using var answer = await host.PostAsync("/v1/chat/completions", chat, cancelled);
        Assert.Contains("Hello from the cluster.", await answer.Content.ReadAsStringAsync(cancelled), StringComparison.Ordinal);
    }

    private static async Task ExpectAsync(CoordinatorHost host, string body, HttpStatusCode expected, string property, string part)
    {
        var (status, problem) = await PostAsync(host, "/api/deployments", body);
        Assert.True(status == expected, $"{body[..Math.Min(80, body.Length)]} gave {status}: {problem}");
        Assert.Contains(part, problem.GetProperty(property).ToString(), StringComparison.Ordinal);
        Assert.Equal((int)expected, problem.GetProperty("status").GetInt32());
    }

    private static async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(CoordinatorHost host, string path, string body)
    {
        using var http = host.CreateClient();
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(path, content, Cancelled);
        return (answer.StatusCode, JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync(Cancelled)));
    }
}
