using System.Text;
using System.Text.Json;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Engines.Mlx.Requests;
using ClusterLlm.NodeAgent.Engines.Mlx.Splitting;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx.Units;

/// <summary>From the server's stream to OpenAI's chunks.</summary>
public sealed class ServerStreamTests
{
    [Fact]
    public async Task ReadAsync_Stream_GivesProgressDataAndTheEnd()
    {
        var lines = await ReadAsync(": keepalive 28/29\n\ndata: {\"a\": 1}\r\n\nevent: x\n\n: keepalive broken\ndata: [DONE]\n\n");

        Assert.Equal(new ServerLine.Keepalive(28, 29), lines[0]);
        Assert.Equal("{\"a\": 1}", Encoding.UTF8.GetString(Assert.IsType<ServerLine.Data>(lines[1]).Json.Span));
        Assert.IsType<ServerLine.Done>(lines[2]);
        Assert.Equal(3, lines.Count);
    }

    [Fact]
    public async Task ReadAsync_StreamThatWasCut_HasNoEnd() => Assert.DoesNotContain(await ReadAsync("data: {}\n\ndata: [DO"), line => line is ServerLine.Done);

    [Fact]
    public void Translate_ChatChunks_SayTheRoleOnceAndCountTokens()
    {
        var translator = new ChunkTranslator(Chat, 0);

        var first = translator.Translate(Chunk("""{"index": 0, "finish_reason": null, "delta": {"role": "assistant", "content": "Hi"}}""", """{"tokens": 2}"""));
        var last = translator.Translate(Chunk("""{"index": 0, "finish_reason": "stop", "delta": {"role": "assistant"}}""", """{"tokens": 1}"""));

        Assert.Equal("""{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"},"logprobs":null,"finish_reason":null}]}""", Text(first));
        Assert.Equal("""{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}""", Text(last));
        Assert.Equal((2, 1, "stop"), (first.TokenCount, last.TokenCount, last.FinishReason));
    }

    [Fact]
    public void Translate_ToolCall_IsKeptAsItIs()
    {
        var chunk = new ChunkTranslator(Chat, 0).Translate(Chunk(
            """{"index": 0, "finish_reason": "tool_calls", "delta": {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}, "type": "function", "id": "u", "index": 0}]}}""", """{"tokens": 9}"""));

        Assert.Contains("""[{"function":{"name":"f","arguments":"{}"},"type":"function","id":"u","index":0}]""", Text(chunk), StringComparison.Ordinal);
    }

    [Fact]
    public void Translate_CompletionLogprobs_HaveTheOlderShapeWithRunningOffsets()
    {
        var request = new ServerRequest(RequestKind.Completion, true, false, []);
        var translator = new ChunkTranslator(request, 1);
        const string Entry = """{"tokens": 1, "logprobs": [{"id": 5, "token": " a", "bytes": [32, 97], "logprob": -0.5, "top": [{"id": 6, "token": "b", "bytes": [98], "logprob": -0.1}]}]}""";

        translator.Translate(Chunk("""{"index": 0, "finish_reason": null, "text": " a"}""", Entry));
        var second = JsonSerializer.Deserialize<JsonElement>(translator.Translate(Chunk("""{"index": 0, "finish_reason": null, "text": " a"}""", Entry)).Json.Span).GetProperty("choices")[0];

        Assert.Equal(1, second.GetProperty("index").GetInt32());
        Assert.Equal("""{"tokens":[" a"],"token_logprobs":[-0.5],"top_logprobs":[{"b":-0.1}],"text_offset":[2]}""", second.GetProperty("logprobs").GetRawText());
    }

    [Fact]
    public void Translate_UsageChunk_IsNotForClients()
    {
        var chunk = new ChunkTranslator(Chat, 0).Translate(Encoding.UTF8.GetBytes(
            """{"choices": [], "usage": {"prompt_tokens": 36, "completion_tokens": 4, "total_tokens": 40, "prompt_tokens_details": {"cached_tokens": 7}}}"""));

        Assert.True(chunk.Json.IsEmpty);
        Assert.Equal(new ServerUsage(36, 7, 4), chunk.Usage);
    }

    [Fact]
    public void Difference_OtherTokenWhereTheReferenceWasSure_IsAFault()
    {
        var reference = new SplitAnswer([1, 2, 3], [-0.1, -0.2, -0.3], [5, 5, 0.01]);

        Assert.Null(SplitComparison.Difference(reference, reference));
        Assert.Null(SplitComparison.Difference(reference, reference with { Tokens = [1, 2, 9] }));
        Assert.Contains("token 2 is 9, the whole model says 2", SplitComparison.Difference(reference, reference with { Tokens = [1, 9, 3] }), StringComparison.Ordinal);
        Assert.Contains("token 1 has log-probability -3.000", SplitComparison.Difference(reference, reference with { Logprobs = [-3, -0.2, -0.3] }), StringComparison.Ordinal);
        Assert.NotNull(SplitComparison.Difference(reference, new SplitAnswer([], [], [])));
    }

    private static ServerRequest Chat { get; } = new(RequestKind.ChatCompletion, false, false, []);

    private static byte[] Chunk(string choice, string facts) => Encoding.UTF8.GetBytes(
        $$"""{"id": "c", "object": "chat.completion.chunk", "model": "default_model", "created": 1, "choices": [{{choice}}], "clusterllm": {{facts}}}""");

    private static string Text(TranslatedChunk chunk) => Encoding.UTF8.GetString(chunk.Json.Span);

    private static async Task<List<ServerLine>> ReadAsync(string text)
    {
        List<ServerLine> lines = [];
        await foreach (var line in ServerLines.ReadAsync(new MemoryStream(Encoding.UTF8.GetBytes(text)), TestContext.Current.CancellationToken))
        {
            lines.Add(line);
        }

        return lines;
    }
}
