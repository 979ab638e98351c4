using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClusterLlm.Coordinator.Inference;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Tests.Inference;

public sealed class ChunkCollectorTests
{
    [Fact]
    public void Chat_Deltas_BecomeOneMessage() => Assert.Equal(
        """[{"index":0,"message":{"role":"assistant","content":"Hello","reasoning_content":"hm, ok"},"logprobs":null,"finish_reason":"length"}]""",
        Choices(
            RequestKind.ChatCompletion,
            """{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}""",
            """{"choices":[{"index":0,"delta":{"reasoning_content":"hm, "}}]}""",
            """{"choices":[{"index":0,"delta":{"reasoning_content":"ok"}}]}""",
            """{"choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]}""",
            """{"choices":[{"index":0,"delta":{"content":"lo"}}]}""",
            """{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"""));

    [Fact]
    public void Chat_ToolCallDeltas_AreMergedByIndex() => Assert.Equal(
        """[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":["""
        + """{"id":"c0","type":"function","function":{"name":"f","arguments":"{\u0022a\u0022:1}"}},"""
        + """{"id":"c1","type":"function","function":{"name":"g","arguments":"{}"}}]},"logprobs":null,"finish_reason":"tool_calls"}]""",
        Choices(
            RequestKind.ChatCompletion,
            """{"choices":[{"index":0,"delta":{"role":"assistant","content":null}}]}""",
            """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c0","type":"function","function":{"name":"f","arguments":""}}]}}]}""",
            """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"c1","type":"function","function":{"name":"g","arguments":"{}"}}]}}]}""",
            """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":null,"function":{"arguments":"{\"a\":"}}]}}]}""",
            """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}}]}""",
            """{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"""));

    [Fact]
    public void Chat_SeveralChoices_StayApartAndInOrder() => Assert.Equal(
        ["a", "b"],
        JsonNode.Parse(Choices(
            RequestKind.ChatCompletion,
            """{"choices":[{"index":1,"delta":{"content":"b"}}]}""",
            """{"choices":[{"index":0,"delta":{"content":"a"}}]}"""))!.AsArray().Select(choice => (string?)choice!["message"]!["content"]));

    [Fact]
    public void Logprobs_AreJoined() => Assert.Equal(
        """{"content":[{"token":"a"},{"token":"b"}],"refusal":null}""",
        JsonNode.Parse(Choices(
            RequestKind.ChatCompletion,
            """{"choices":[{"index":0,"delta":{"content":"a"},"logprobs":{"content":[{"token":"a"}],"refusal":null}}]}""",
            """{"choices":[{"index":0,"delta":{"content":"b"},"logprobs":{"content":[{"token":"b"}],"refusal":null}}]}""",
            """{"choices":[{"index":0,"delta":{},"logprobs":null}]}"""))![0]!["logprobs"]!.ToJsonString());

    [Fact]
    public void Completion_TextAndLogprobs_AreJoined() => Assert.Equal(
        """[{"index":0,"text":"ab","logprobs":{"tokens":["a","b"],"token_logprobs":[-1,-2]},"finish_reason":"stop"}]""",
        Choices(
            RequestKind.Completion,
            """{"choices":[{"index":0,"text":"a","logprobs":{"tokens":["a"],"token_logprobs":[-1]}}]}""",
            """{"choices":[{"index":0,"text":"b","logprobs":{"tokens":["b"],"token_logprobs":[-2]},"finish_reason":"stop"}]}"""));

    [Fact]
    public void UnknownMembers_AreKept()
    {
        var whole = Whole(
            RequestKind.ChatCompletion,
            """{"system_fingerprint":"fp","choices":[{"index":0,"stop_reason":7,"delta":{"audio":{"ids":[1]},"note":"x"}}]}""",
            """{"choices":[{"index":0,"delta":{"audio":{"ids":[2]},"note":"y"}}]}""");

        Assert.Equal("fp", (string?)whole["system_fingerprint"]);
        Assert.Equal(7, (int?)whole["choices"]![0]!["stop_reason"]);
        Assert.Equal("""{"role":"assistant","content":"","note":"xy","audio":{"ids":[1,2]}}""", whole["choices"]![0]!["message"]!.ToJsonString());
    }

    [Fact]
    public void NoChunks_StillGiveOneChoice() => Assert.Equal(
        """[{"index":0,"message":{"role":"assistant","content":""},"logprobs":null,"finish_reason":"stop"}]""", Choices(RequestKind.ChatCompletion));

    [Theory]
    [InlineData("""{"choices":7}""")]
    [InlineData("""{"choices":[7]}""")]
    public void Add_MisshapenChoices_Throws(string chunk) => Assert.Throws<JsonException>(() => Choices(RequestKind.ChatCompletion, chunk));

    private static string Choices(RequestKind kind, params string[] chunks) => Whole(kind, chunks)["choices"]!.ToJsonString();

    private static JsonNode Whole(RequestKind kind, params string[] chunks)
    {
        var collector = new ChunkCollector(kind);
        foreach (var chunk in chunks)
        {
            collector.Add(JsonNode.Parse(chunk)!.AsObject());
        }

        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            collector.WriteMembers(json, "stop");
            json.WriteEndObject();
        }

        return JsonNode.Parse(Encoding.UTF8.GetString(buffer.ToArray()))!;
    }
}
