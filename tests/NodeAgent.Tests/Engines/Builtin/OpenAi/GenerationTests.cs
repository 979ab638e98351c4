using System.Text.Json;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.Testing;

namespace ClusterLlm.NodeAgent.Tests.Engines.Builtin.OpenAi;

/// <summary>One shard of the demo model for all tests of the class.</summary>
public sealed class DemoShard : IAsyncLifetime
{
    private StageHosts? _hosts;

    internal IShard Shard => _hosts!.RankZero;

    public async ValueTask InitializeAsync() =>
        _hosts = await StageHosts.StartAsync(new HostedModel(TestModels.PathOf("demo-3m"), [8]) { Context = 200 }, CancellationToken.None);

    public ValueTask DisposeAsync() => _hosts!.DisposeAsync();
}

/// <summary>OpenAI bodies in, OpenAI chunks out.</summary>
public sealed class GenerationTests(DemoShard demo) : IClassFixture<DemoShard>
{
    private const string Question = """{"role":"user","content":"What is a shard?"}""";

    [Fact(Timeout = 60_000)]
    public async Task Generate_Chat_StreamsTheGoldenAnswer()
    {
        var answer = await Chat($$"""{"messages":[{{Question}}]}""", TestContext.Current.CancellationToken);
        Assert.StartsWith("A shard is a range of layers next to each other that one node holds in its memory.", answer.Text);
        Assert.Equal("assistant", answer.Chunks[0].GetProperty("choices")[0].GetProperty("delta").GetProperty("role").GetString());
        Assert.Equal("stop", answer.Chunks[^1].GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.All(answer.Chunks, chunk => Assert.Equal("chat.completion.chunk", chunk.GetProperty("object").GetString()));
        Assert.Equal(16, answer.Finished.PromptTokens);
        Assert.Equal("stop", answer.Finished.FinishReason);
        Assert.True(answer.Finished.TimeToFirstToken > TimeSpan.Zero);
    }

    [Fact(Timeout = 60_000)]
    public async Task Generate_ContentParts_EqualOneText()
    {
        var parts = await Chat("""{"messages":[{"role":"user","content":[{"type":"text","text":"What is "},{"type":"text","text":"a shard?"}]}]}""", TestContext.Current.CancellationToken);
        Assert.StartsWith("A shard is a range of layers", parts.Text);
    }

    [Fact(Timeout = 60_000)]
    public async Task Generate_Stop_EndsBeforeIt()
    {
        var answer = await Chat($$"""{"messages":[{{Question}}],"stop":["next to each","never"]}""", TestContext.Current.CancellationToken);
        Assert.Equal("A shard is a range of layers ", answer.Text);
        Assert.Equal("stop", answer.Finished.FinishReason);
        Assert.InRange(answer.Finished.CompletionTokens, 8, 16);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("max_tokens")]
    [InlineData("max_completion_tokens")]
    public async Task Generate_MaxTokens_EndsWithLength(string field)
    {
        var answer = await Chat($$"""{"messages":[{{Question}}],"{{field}}":3}""", TestContext.Current.CancellationToken);
        Assert.Equal("length", answer.Finished.FinishReason);
        Assert.Equal(3, answer.Finished.CompletionTokens);
    }

    [Fact(Timeout = 60_000)]
    public async Task Generate_MoreTokensThanContext_EndsAtItsEnd()
    {
        var answer = await Chat($$"""{"messages":[{{Question}}],"max_tokens":100000,"ignore_eos":true}""", TestContext.Current.CancellationToken);
        Assert.Equal(200 - 16, answer.Finished.CompletionTokens);
        Assert.Equal("length", answer.Finished.FinishReason);
    }

    [Fact(Timeout = 60_000)]
    public async Task Generate_ChatLogProbs_AreOpenAisShape()
    {
        var answer = await Chat($$"""{"messages":[{{Question}}],"max_tokens":4,"logprobs":true,"top_logprobs":3}""", TestContext.Current.CancellationToken);
        JsonElement[] tokens =
        [
            .. answer.Chunks.Select(chunk => chunk.GetProperty("choices")[0])
                .Where(choice => choice.TryGetProperty("logprobs", out var logProbs) && logProbs.ValueKind == JsonValueKind.Object)
                .SelectMany(choice => choice.GetProperty("logprobs").GetProperty("content").EnumerateArray()),
        ];
        Assert.Equal(4, tokens.Length);
        Assert.All(tokens, token =>
        {
            Assert.True(token.GetProperty("logprob").GetDouble() <= 0);
            Assert.NotEmpty(token.GetProperty("bytes").EnumerateArray());
            Assert.Equal(3, token.GetProperty("top_logprobs").GetArrayLength());
            Assert.Equal(token.GetProperty("token").GetString(), token.GetProperty("top_logprobs")[0].GetProperty("token").GetString());
        });
    }

    [Fact(Timeout = 60_000)]
    public async Task Generate_SameSeed_GivesSameText()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var body = """{"prompt":"There was once a poor","max_tokens":24,"temperature":1.1,"seed":42}""";
        var answers = await Task.WhenAll(
            Complete(body, cancellationToken), Complete(body, cancellationToken), Complete(body.Replace("42", "43"), cancellationToken));
        Assert.Equal(answers[0].Text, answers[1].Text);
        Assert.NotEqual(answers[0].Text, answers[2].Text);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("""{"prompt":"There was"}""")]
    [InlineData("""{"prompt":["There was"],"n":1,"best_of":1,"echo":false,"unknown":{"a":[1]}}""")]
    public async Task Generate_Completion_ContinuesTheText(string body)
    {
        var answer = await Complete(body, TestContext.Current.CancellationToken);
        Assert.NotEmpty(answer.Text);
        Assert.All(answer.Chunks, chunk => Assert.Equal("text_completion", chunk.GetProperty("object").GetString()));
    }

    [Theory(Timeout = 60_000)]
    [InlineData("", null)]
    [InlineData("{", null)]
    [InlineData("[1]", null)]
    [InlineData("{}", "prompt")]
    [InlineData("""{"prompt":null}""", "prompt")]
    [InlineData("""{"prompt":17}""", "prompt")]
    [InlineData("""{"prompt":[]}""", "prompt")]
    [InlineData("""{"prompt":[1,2048]}""", "prompt[1]")]
    [InlineData("""{"prompt":[1,-1]}""", "prompt[1]")]
    [InlineData("""{"prompt":["a","b"]}""", "prompt")]
    [InlineData("""{"prompt":"a","temperature":-0.1}""", "temperature")]
    [InlineData("""{"prompt":"a","temperature":1e999}""", "temperature")]
    [InlineData("""{"prompt":"a","temperature":"hot"}""", "temperature")]
    [InlineData("""{"prompt":"a","top_p":1.5}""", "top_p")]
    [InlineData("""{"prompt":"a","top_k":-2}""", "top_k")]
    [InlineData("""{"prompt":"a","min_p":-1}""", "min_p")]
    [InlineData("""{"prompt":"a","max_tokens":0}""", "max_tokens")]
    [InlineData("""{"prompt":"a","max_tokens":1.5}""", "max_tokens")]
    [InlineData("""{"prompt":"a","seed":"x"}""", "seed")]
    [InlineData("""{"prompt":"a","stop":[1]}""", "stop[0]")]
    [InlineData("""{"prompt":"a","logprobs":21}""", "logprobs")]
    [InlineData("""{"prompt":"a","logit_bias":{"9999":1}}""", "logit_bias")]
    [InlineData("""{"prompt":"a","logit_bias":{"1":101}}""", "logit_bias.1")]
    [InlineData("""{"prompt":"a","n":2}""", "n")]
    [InlineData("""{"prompt":"a","echo":true}""", "echo")]
    [InlineData("""{"prompt":"a","suffix":"b"}""", "suffix")]
    [InlineData("""{"prompt":"a","presence_penalty":3}""", "presence_penalty")]
    [InlineData("""{"prompt":"\ud800"}""", "prompt")]
    [InlineData("""{"prompt":"a","ignore_eos":"yes"}""", "ignore_eos")]
    public async Task Generate_WrongCompletion_IsA400ThatNamesTheField(string body, string? param)
    {
        var exception = await Assert.ThrowsAsync<GenerationException>(() => Complete(body, TestContext.Current.CancellationToken));
        Assert.Equal((400, param), (exception.Status, exception.Param));
        Assert.NotEmpty((await Complete("""{"prompt":"There was"}""", TestContext.Current.CancellationToken)).Text);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("{}", "messages")]
    [InlineData("""{"messages":[]}""", "messages")]
    [InlineData("""{"messages":"hi"}""", "messages")]
    [InlineData("""{"messages":[1]}""", "messages[0]")]
    [InlineData("""{"messages":[{"content":"x"}]}""", "messages[0].role")]
    [InlineData("""{"messages":[{"role":"king","content":"x"}]}""", "messages[0].role")]
    [InlineData("""{"messages":[{"role":"user"}]}""", "messages[0].content")]
    [InlineData("""{"messages":[{"role":"user","content":5}]}""", "messages[0].content")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]}""", "messages[0].content[0].type")]
    [InlineData("""{"messages":[{"role":"user","content":"x"}],"logprobs":1}""", "logprobs")]
    [InlineData("""{"messages":[{"role":"user","content":"x"}],"top_logprobs":3}""", "top_logprobs")]
    [InlineData("""{"messages":[{"role":"user","content":"x"}],"tools":{}}""", "tools")]
    [InlineData("""{"messages":[{"role":"user","content":"x"}],"tool_choice":"required"}""", "tool_choice")]
    [InlineData("""{"messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_object"}}""", "response_format.type")]
    public async Task Generate_WrongChat_IsA400ThatNamesTheField(string body, string param)
    {
        var exception = await Assert.ThrowsAsync<GenerationException>(() => Chat(body, TestContext.Current.CancellationToken));
        Assert.Equal((400, param), (exception.Status, exception.Param));
    }

    [Fact(Timeout = 60_000)]
    public async Task Generate_PromptLongerThanContext_NamesBothNumbers()
    {
        var exception = await Assert.ThrowsAsync<GenerationException>(() => Complete($$"""{"prompt":[{{string.Join(',', Enumerable.Repeat(5, 200))}}]}""", TestContext.Current.CancellationToken));
        Assert.Equal((400, "context_length_exceeded", "prompt"), (exception.Status, exception.Code, exception.Param));
        Assert.Contains("context is 200 tokens, but the prompt has 200 tokens", exception.Message, StringComparison.Ordinal);
    }

    private Task<Answer> Chat(string body, CancellationToken cancellationToken) =>
        Answer.OfAsync(demo.Shard, RequestKind.ChatCompletion, body, cancellationToken);

    private Task<Answer> Complete(string body, CancellationToken cancellationToken) =>
        Answer.OfAsync(demo.Shard, RequestKind.Completion, body, cancellationToken);
}
