using System.Text.Json.Nodes;
using ClusterLlm.Coordinator.Tests.Inference.Fakes;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Tests.Inference;

/// <summary>What real clients sent is answered so that they can read it (the needs are written down in ClientSamples/README.md).</summary>
public sealed class ClientSampleTests : IAsyncLifetime
{
    /// <summary>The recording server had no answer for HEAD; here it is served.</summary>
    private const string HeadSample = "62-curl-head-models.http";

    private GatewayHost _gateway = null!;

    public static TheoryData<string> Names => [.. ClientSample.Names()];

    public async ValueTask InitializeAsync()
    {
        _gateway = await GatewayHost.StartAsync(CancellationToken.None, ("Inference:AllowedOrigins:0", "http://localhost:3000"));
        _gateway.Agent.Script = AnswerAsync;
    }

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Names))]
    public async Task Recorded_Request_IsAnsweredAsItsClientNeeds(string name)
    {
        var sample = ClientSample.Load(name);

        var response = await sample.SendAsync(_gateway.Address, TestContext.Current.CancellationToken);

        Assert.Equal(name == HeadSample ? 200 : sample.RecordedStatus, response.Status);
        Assert.NotEmpty(response.Headers["X-Request-Id"]);
        if (response.Status >= 400)
        {
            CheckError(response);
        }
        else if (sample.Method == "POST")
        {
            CheckAnswer(sample, response);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Preflight_OfANamedPage_AllowsAllItsHeaders()
    {
        var sample = ClientSample.Load("64-browser-handmade-preflight.http");

        var response = await sample.SendAsync(_gateway.Address, TestContext.Current.CancellationToken);

        Assert.Equal("http://localhost:3000", response.Headers["Access-Control-Allow-Origin"]);
        Assert.Contains("x-stainless-retry-count", response.Headers["Access-Control-Allow-Headers"], StringComparison.Ordinal);
        Assert.Contains("POST", response.Headers["Access-Control-Allow-Methods"], StringComparison.Ordinal);
    }

    private static void CheckError(RawResponse response)
    {
        var error = JsonNode.Parse(response.Body)!["error"]!.AsObject();
        Assert.NotEmpty((string)error["message"]!);
        Assert.NotEmpty((string)error["type"]!);
        Assert.True(error.ContainsKey("param") && error.ContainsKey("code"));
    }

    private static void CheckAnswer(ClientSample sample, RawResponse response)
    {
        if (sample.Streams)
        {
            CheckStream(sample, response);
            return;
        }

        var answer = JsonNode.Parse(response.Body)!;
        var choice = Assert.Single(answer["choices"]!.AsArray())!;
        Assert.Equal("demo", (string?)answer["model"]);
        Assert.Equal(16, (int?)answer["usage"]!["total_tokens"]);
        if (sample.Path.StartsWith("/v1/completions", StringComparison.Ordinal))
        {
            Assert.Equal("Hello from demo.", (string?)choice["text"]);
        }
        else if (CallsTool(sample.Json!))
        {
            var call = Assert.Single(choice["message"]!["tool_calls"]!.AsArray())!;
            Assert.Equal("""{"city": "demo"}""", (string?)call["function"]!["arguments"]);
            Assert.Equal("tool_calls", (string?)choice["finish_reason"]);
            Assert.Null(choice["message"]!["content"]);
        }
        else
        {
            Assert.Equal("Hello from demo.", (string?)choice["message"]!["content"]);
        }
    }

    private static void CheckStream(ClientSample sample, RawResponse response)
    {
        Assert.StartsWith("text/event-stream", response.Headers["Content-Type"], StringComparison.Ordinal);
        var events = response.Body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(line => line["data: ".Length..]).ToList();
        Assert.Equal("[DONE]", events[^1]);
        var chunks = events.SkipLast(1).Select(data => JsonNode.Parse(data)!).ToList();
        var asked = (bool?)sample.Json!["stream_options"]?["include_usage"] == true;
        Assert.Equal(asked ? 1 : 0, chunks.Count(chunk => chunk["choices"]!.AsArray().Count == 0));
        Assert.Equal(asked, chunks[^1]["usage"] is not null);
        var choices = chunks.SkipLast(asked ? 1 : 0).Select(chunk => chunk["choices"]![0]!).ToList();
        Assert.NotNull((string?)choices[^1]["finish_reason"]);
        if (sample.Path.StartsWith("/v1/chat", StringComparison.Ordinal))
        {
            Assert.Equal("assistant", (string?)choices[0]["delta"]!["role"]);
        }
    }

    private static bool CallsTool(JsonNode body) => body["tools"] is JsonArray { Count: > 0 } && (string?)body["messages"]!.AsArray()[^1]!["role"] == "user";

    private static Task AnswerAsync(GenerateRequest request, Grpc.Core.IServerStreamWriter<GenerateEvent> events, CancellationToken cancelled)
    {
        var script = request.Kind == RequestKind.ChatCompletion && CallsTool(JsonNode.Parse(request.Body.Span)!)
            ? Answers.Events(
                Answers.Delta("""{"role":"assistant","content":null}"""),
                Answers.Delta("""{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"get_weather","arguments":""}}]}"""),
                Answers.Delta("""{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":"}}]}"""),
                Answers.Delta("""{"tool_calls":[{"index":0,"function":{"arguments":" \"demo\"}"}}]}"""),
                Answers.Delta("{}", "\"tool_calls\""),
                new GenerateEvent { Finished = Answers.Finished("tool_calls") })
            : Answers.Text("Hello", " from", " demo.");
        return script(request, events, cancelled);
    }
}
