using System.Net;
using System.Text.Json.Nodes;
using ClusterLlm.Coordinator.Tests.Inference.Fakes;
using ClusterLlm.Protos.V1;
using Grpc.Core;

namespace ClusterLlm.Coordinator.Tests.Inference;

public sealed class StreamingTests : IAsyncLifetime
{
    private GatewayHost _gateway = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _gateway = await GatewayHost.StartAsync(CancellationToken.None, ("Inference:KeepAliveInterval", "00:00:00.2"));

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact(Timeout = 30_000)]
    public async Task Chat_Streamed_PassesChunksOnWithOwnNamesAndEndsWithDone()
    {
        using var response = await _gateway.ChatAsync(""","stream":true""", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        var events = await GatewayHost.EventsAsync(response, Cancellation);
        Assert.Equal("[DONE]", events[^1]);
        var chunks = events.SkipLast(1).Select(data => JsonNode.Parse(data)!).ToList();
        Assert.Equal(["", "Hello", " from", " demo."], chunks.SkipLast(1).Select(chunk => (string?)chunk["choices"]![0]!["delta"]!["content"]));
        Assert.Equal("stop", (string?)chunks[^1]["choices"]![0]!["finish_reason"]);
        Assert.All(chunks, chunk =>
        {
            Assert.StartsWith("chatcmpl-", (string?)chunk["id"], StringComparison.Ordinal);
            Assert.Equal("demo", (string?)chunk["model"]);
            Assert.Equal("chat.completion.chunk", (string?)chunk["object"]);
            Assert.True((long)chunk["created"]! > 1_700_000_000);
            Assert.False(chunk.AsObject().ContainsKey("usage"));
        });
        Assert.Single(chunks.Select(chunk => (string?)chunk["id"]).Distinct());
    }

    [Fact(Timeout = 30_000)]
    public async Task Chat_UsageAsked_ComesInItsOwnChunkBeforeDone()
    {
        using var response = await _gateway.ChatAsync(""","stream":true,"stream_options":{"include_usage":true}""", TestContext.Current.CancellationToken);

        var events = await GatewayHost.EventsAsync(response, Cancellation);
        var usage = JsonNode.Parse(events[^2])!;
        Assert.Empty(usage["choices"]!.AsArray());
        Assert.Equal(
            """{"prompt_tokens":12,"completion_tokens":4,"total_tokens":16,"prompt_tokens_details":{"cached_tokens":5}}""",
            usage["usage"]!.ToJsonString());
        Assert.All(events.SkipLast(2), data => Assert.EndsWith(",\"usage\":null}", data, StringComparison.Ordinal));
    }

    [Fact(Timeout = 30_000)]
    public async Task Chat_BodyTravelsAsItCame()
    {
        const string Body = """{ "messages":[{"content":"Grüße 🙂","role":"user"}], "custom_flag" : 1e0 ,"model":"demo"}""";
        using var response = await _gateway.PostAsync("/v1/chat/completions?extra=1", Body, TestContext.Current.CancellationToken);

        var received = await _gateway.Agent.NextRequestAsync(Cancellation);
        Assert.Equal(Body, received.Body.ToStringUtf8());
        Assert.Equal(("d-1", RequestKind.ChatCompletion), (received.DeploymentId, received.Kind));
    }

    [Fact(Timeout = 30_000)]
    public async Task Chat_AgentFailsBeforeTheFirstChunk_IsAStatus()
    {
        _gateway.Agent.Script = Answers.Error(400, "The prompt has 3000 tokens, the context 2048.", "messages", "context_length_exceeded");

        using var response = await _gateway.ChatAsync(""","stream":true""", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var error = (await GatewayHost.JsonAsync(response, Cancellation))["error"]!;
        Assert.Equal("context_length_exceeded", (string?)error["code"]);
        Assert.Equal("messages", (string?)error["param"]);
        Assert.Equal("invalid_request_error", (string?)error["type"]);
        Assert.Equal((string?)error["request_id"], response.Headers.GetValues("X-Request-Id").Single());
    }

    [Fact(Timeout = 30_000)]
    public async Task Chat_AgentFailsAfterTheFirstChunk_EndsWithAnErrorEventAndNoDone()
    {
        _gateway.Agent.Script = async (_, events, cancelled) =>
        {
            await events.WriteAsync(Answers.Delta("""{"role":"assistant","content":"He"}"""), cancelled);
            throw new RpcException(new(StatusCode.Unavailable, "the engine is gone"));
        };

        using var response = await _gateway.ChatAsync(""","stream":true""", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var events = await GatewayHost.EventsAsync(response, Cancellation);
        Assert.Equal(2, events.Count);
        var error = JsonNode.Parse(events[^1])!["error"]!;
        Assert.Equal("node_unavailable", (string?)error["code"]);
        Assert.Contains("the engine is gone", (string?)error["message"], StringComparison.Ordinal);
    }

    [Fact(Timeout = 30_000)]
    public async Task Chat_AgentEndsWithoutAResult_IsNoCleanEnd()
    {
        _gateway.Agent.Script = Answers.Events(Answers.Delta("""{"role":"assistant","content":"He"}"""));

        using var response = await _gateway.ChatAsync(""","stream":true""", TestContext.Current.CancellationToken);

        var events = await GatewayHost.EventsAsync(response, Cancellation);
        Assert.DoesNotContain("[DONE]", events);
        Assert.Contains("without a result", events[^1], StringComparison.Ordinal);
    }

    [Theory(Timeout = 30_000)]
    [InlineData("nonsense")]
    [InlineData("[1]")]
    [InlineData("""{"choices":[}""")]
    public async Task Chat_AgentSendsABrokenChunk_IsAnError(string chunk)
    {
        _gateway.Agent.Script = Answers.Events(Answers.Chunk(chunk));

        using var response = await _gateway.ChatAsync(""","stream":true""", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
    }

    [Fact(Timeout = 30_000)]
    public async Task Chat_LongPrefill_KeepsTheClientAliveAndThenErrorsInTheStream()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _gateway.Agent.Script = async (_, events, cancelled) =>
        {
            await events.WriteAsync(new() { Progress = new() { QueuePosition = 1 } }, cancelled);
            await release.Task.WaitAsync(cancelled);
            await Answers.Error(503, "too late")(new(), events, cancelled);
        };

        using var response = await _gateway.ChatAsync(""","stream":true""", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        release.SetResult();
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.StartsWith(": keepalive\n\n", text, StringComparison.Ordinal);
        Assert.Contains("too late", text, StringComparison.Ordinal);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Chat_ClientGoesAway_CancelsTheAgent(bool stream)
    {
        _gateway.Agent.Script = async (_, events, cancelled) =>
        {
            await events.WriteAsync(Answers.Delta("""{"role":"assistant","content":"He"}"""), cancelled);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancelled);
        };
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var call = _gateway.ChatAsync($""","stream":{(stream ? "true" : "false")}""", leaving.Token);
        await _gateway.Agent.NextRequestAsync(Cancellation);
        if (stream)
        {
            (await call).Dispose();
        }
        else
        {
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        }

        await _gateway.Agent.Cancelled.Task.WaitAsync(TimeSpan.FromSeconds(1), Cancellation);
    }

    [Fact(Timeout = 30_000)]
    public async Task Chat_CoordinatorStops_TellsTheClient()
    {
        _gateway.Agent.Script = async (_, events, cancelled) =>
        {
            await events.WriteAsync(Answers.Delta("""{"role":"assistant","content":"He"}"""), cancelled);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancelled);
        };
        using var response = await _gateway.ChatAsync(""","stream":true""", TestContext.Current.CancellationToken);

        await _gateway.StopAsync(Cancellation);

        var events = await GatewayHost.EventsAsync(response, Cancellation);
        Assert.Contains("shutting_down", events[^1], StringComparison.Ordinal);
    }

    [Fact(Timeout = 30_000)]
    public async Task Completion_Streamed_HasTextChunks()
    {
        using var response = await _gateway.PostAsync("/v1/completions", """{"model":"demo","prompt":"Once","stream":true}""", TestContext.Current.CancellationToken);

        var events = await GatewayHost.EventsAsync(response, Cancellation);
        var first = JsonNode.Parse(events[0])!;
        Assert.Equal("text_completion", (string?)first["object"]);
        Assert.StartsWith("cmpl-", (string?)first["id"], StringComparison.Ordinal);
        Assert.Equal("Hello", (string?)first["choices"]![0]!["text"]);
        Assert.Equal("[DONE]", events[^1]);
    }
}
