using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using ClusterLlm.Coordinator.Tests.Inference.Fakes;
using Grpc.Core;

namespace ClusterLlm.Coordinator.Tests.Inference;

/// <summary>The HTTP surface apart from a good answer's content: errors, limits, ids, models, pages.</summary>
public sealed class SurfaceTests : IAsyncLifetime
{
    private GatewayHost _gateway = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _gateway = await GatewayHost.StartAsync(CancellationToken.None, ("Inference:MaxBodyBytes", "2048"), ("Inference:AllowedOrigins:0", "http://localhost:3000"));

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Theory(Timeout = 30_000)]
    [InlineData("""{"model":"demo",""", "line 1, column 16")]
    [InlineData("{\n\"model\": NaN}", "line 2, column 10")]
    [InlineData("", "empty")]
    [InlineData("""{"model":"\ud800"}""", "byte 9")]
    [InlineData("""{"model":"demo","messages":[{"role":"user","content":"x"}],"logit_bias":{"\udc00":1}}""", "surrogate")]
    public async Task Chat_MalformedBody_Is400AndTellsWhere(string body, string where)
    {
        using var response = await _gateway.PostAsync("/v1/chat/completions", body, TestContext.Current.CancellationToken);

        await AssertErrorAsync(response, HttpStatusCode.BadRequest, null, where);
    }

    [Fact(Timeout = 30_000)]
    public async Task Chat_BodyThatIsNotUtf8_Is400()
    {
        using var content = new ByteArrayContent([(byte)'{', (byte)'"', 0xff, (byte)'"', (byte)':', (byte)'1', (byte)'}']);
        using var response = await _gateway.Client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), content, TestContext.Current.CancellationToken);

        await AssertErrorAsync(response, HttpStatusCode.BadRequest, null, "UTF-8");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Chat_BodyOverTheLimit_Is413AndTheNextRequestWorks(bool chunked)
    {
        using (var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(new string(' ', 4096), Encoding.UTF8) })
        {
            request.Headers.TransferEncodingChunked = chunked;
            using var refused = await _gateway.Client.SendAsync(request, TestContext.Current.CancellationToken);
            await AssertErrorAsync(refused, HttpStatusCode.RequestEntityTooLarge, "request_too_large", "2048");
        }

        using var next = await _gateway.ChatAsync("", Cancellation);
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
    }

    [Fact(Timeout = 30_000)]
    public async Task Chat_UnknownModel_Is404WithTheNamesThereAre()
    {
        using var response = await _gateway.PostAsync(
            "/v1/chat/completions", """{"model":"gpt-4","messages":[{"role":"user","content":"x"}]}""", TestContext.Current.CancellationToken);

        await AssertErrorAsync(response, HttpStatusCode.NotFound, "model_not_found", "Available: demo");
    }

    [Fact(Timeout = 30_000)]
    public async Task Chat_ModelIsLoading_Is503WithRetryAfter()
    {
        _gateway.Cluster.Routes = [GatewayHost.Demo with { Ready = false, Phase = "Loading", LoadedShare = 0.25 }];

        using var response = await _gateway.ChatAsync("", TestContext.Current.CancellationToken);

        await AssertErrorAsync(response, HttpStatusCode.ServiceUnavailable, "model_not_ready", "loading");
        Assert.InRange(response.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 30);
    }

    [Fact(Timeout = 30_000)]
    public async Task Chat_NodeIsNotConnected_Is503()
    {
        _gateway.Cluster.Invoker = null;

        using var response = await _gateway.ChatAsync("", TestContext.Current.CancellationToken);

        await AssertErrorAsync(response, HttpStatusCode.ServiceUnavailable, "node_unavailable", "node-1");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(StatusCode.ResourceExhausted, 429, "queue_full")]
    [InlineData(StatusCode.FailedPrecondition, 503, "model_not_ready")]
    [InlineData(StatusCode.Unavailable, 503, "node_unavailable")]
    [InlineData(StatusCode.InvalidArgument, 400, null)]
    [InlineData(StatusCode.Internal, 500, "internal_error")]
    public async Task Chat_AgentStatus_BecomesAnHttpStatus(StatusCode status, int expected, string? code)
    {
        _gateway.Agent.Script = (_, _, _) => throw new RpcException(new(status, "because"));

        using var response = await _gateway.ChatAsync("", TestContext.Current.CancellationToken);

        await AssertErrorAsync(response, (HttpStatusCode)expected, code, "because");
    }

    [Fact(Timeout = 30_000)]
    public async Task Chat_WrongValue_Is400WithTheField()
    {
        using var response = await _gateway.ChatAsync(""","temperature":-1""", TestContext.Current.CancellationToken);

        await AssertErrorAsync(response, HttpStatusCode.BadRequest, "invalid_value", "'temperature' is -1");
    }

    [Fact(Timeout = 30_000)]
    public async Task Models_HeadGetAndOne_Answer()
    {
        using var head = new HttpRequestMessage(HttpMethod.Head, "/v1/models");
        using var headed = await _gateway.Client.SendAsync(head, TestContext.Current.CancellationToken);
        var list = JsonNode.Parse(await _gateway.Client.GetStringAsync(new Uri("/v1/models", UriKind.Relative), Cancellation))!;
        var one = JsonNode.Parse(await _gateway.Client.GetStringAsync(new Uri("/v1/models/demo", UriKind.Relative), Cancellation))!;
        using var none = await _gateway.Client.GetAsync(new Uri("/v1/models/org/other", UriKind.Relative), Cancellation);

        Assert.Equal(HttpStatusCode.OK, headed.StatusCode);
        Assert.Equal("list", (string?)list["object"]);
        Assert.Equal(one.ToJsonString(), list["data"]![0]!.ToJsonString());
        Assert.Equal(("demo", "model", 1_700_000_000), ((string?)one["id"], (string?)one["object"], (int)one["created"]!));
        await AssertErrorAsync(none, HttpStatusCode.NotFound, "model_not_found", "org/other");
    }

    [Theory(Timeout = 30_000)]
    [InlineData("GET", "/v1/chat/completions")]
    [InlineData("DELETE", "/v1/models")]
    [InlineData("POST", "/v1/embeddings")]
    [InlineData("GET", "/v1")]
    public async Task Unknown_PathOrMethod_Is404InOpenAisShape(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await _gateway.Client.SendAsync(request, TestContext.Current.CancellationToken);

        await AssertErrorAsync(response, HttpStatusCode.NotFound, "unknown_url", $"{method} {path}");
    }

    [Theory(Timeout = 30_000)]
    [InlineData("my-request.1", true)]
    [InlineData("bad id", false)]
    public async Task RequestId_OfTheClient_IsKeptWhereItIsPlain(string id, bool kept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Add("X-Request-Id", id);
        using var response = await _gateway.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(kept, response.Headers.GetValues("X-Request-Id").Single() == id);
    }

    [Theory(Timeout = 30_000)]
    [InlineData("http://localhost:3000", true)]
    [InlineData("http://localhost:3001", false)]
    [InlineData("http://127.0.0.1:8080", false)]
    [InlineData("https://example.org", false)]
    [InlineData("null", false)]
    public async Task Cors_Origin_OnlyNamedPagesMayCall(string origin, bool allowed)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Add("Origin", origin);
        using var response = await _gateway.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(allowed, response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact(Timeout = 30_000)]
    public async Task OpenApi_Document_DescribesTheRequests()
    {
        var document = JsonNode.Parse(await _gateway.Client.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative), TestContext.Current.CancellationToken))!;

        var body = document["paths"]!["/v1/chat/completions"]!["post"]!["requestBody"]!["content"]!["application/json"]!["schema"]!;
        Assert.Equal("#/components/schemas/ChatCompletionRequest", (string?)body["$ref"]);
        var properties = document["components"]!["schemas"]!["ChatCompletionRequest"]!["properties"]!;
        Assert.Equal(2, (int?)properties["temperature"]!["maximum"]);
        Assert.NotNull(document["paths"]!["/v1/completions"]!["post"]!["responses"]!["503"]);
        Assert.NotNull(document["paths"]!["/v1/models"]!["get"]);
    }

    [Fact(Timeout = 30_000)]
    public async Task Docs_Page_LoadsNothingFromElsewhere()
    {
        var page = await _gateway.Client.GetStringAsync(new Uri("/docs/", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Contains("openapi/v1.json", page, StringComparison.Ordinal);
        Assert.DoesNotContain("src=\"http", page, StringComparison.Ordinal);
        Assert.DoesNotContain("href=\"http", page, StringComparison.Ordinal);
        Assert.DoesNotContain("cdn.", page, StringComparison.Ordinal);
    }

    private static async Task AssertErrorAsync(HttpResponseMessage response, HttpStatusCode status, string? code, string part)
    {
        var error = (await GatewayHost.JsonAsync(response, Cancellation))["error"]!;
        Assert.Equal(status, response.StatusCode);
        Assert.Equal(code, (string?)error["code"]);
        Assert.Contains(part, (string?)error["message"], StringComparison.Ordinal);
        Assert.Equal(response.Headers.GetValues("X-Request-Id").Single(), (string?)error["request_id"]);
    }
}
