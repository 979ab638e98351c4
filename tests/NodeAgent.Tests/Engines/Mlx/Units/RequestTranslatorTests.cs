using System.Text;
using System.Text.Json;
using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Engines.Mlx.Requests;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx.Units;

public sealed class RequestTranslatorTests
{
    private static readonly RequestLimits Limits = new(512, 256, GenerationDefaults.None);

    [Fact]
    public void Translate_Completion_PassesOnOnlyWhatIsHarmless()
    {
        var body = One(RequestKind.Completion, """
            {"prompt": "Hi", "model": "/etc", "adapters": "/etc", "draft_model": "/etc", "num_draft_tokens": 5, "role_mapping": {}, "stream": false, "user": "x",
             "max_tokens": 5, "temperature": 0, "seed": -3, "top_k": 512, "logit_bias": {"5": 1, "50256": -100}, "stop": ["a", ""]}
            """);

        Assert.Equal("default_model", body.GetProperty("model").GetString());
        Assert.True(body.GetProperty("stream").GetBoolean());
        Assert.True(body.GetProperty("stream_options").GetProperty("include_usage").GetBoolean());
        Assert.Equal(0, body.GetProperty("top_k").GetInt32());
        Assert.True(body.GetProperty("seed").GetInt64() >= 0);
        Assert.Equal("""{"5":1}""", body.GetProperty("logit_bias").GetRawText());
        Assert.Equal("""["a"]""", body.GetProperty("stop").GetRawText());
        Assert.All((string[])["adapters", "draft_model", "num_draft_tokens", "role_mapping", "user", "n"], name => Assert.False(body.TryGetProperty(name, out _)));
    }

    [Fact]
    public void Translate_NoTemperature_TakesTheModelsOrOpenAis()
    {
        var recommended = GenerationDefaults.None with { Temperature = 0.6, TopP = 0.9, MaxNewTokens = 77 };

        var body = One(RequestKind.Completion, """{"prompt": "Hi"}""", Limits with { Defaults = recommended });
        var plain = One(RequestKind.Completion, """{"prompt": "Hi"}""");

        Assert.Equal((0.6, 0.9, 77), (body.GetProperty("temperature").GetDouble(), body.GetProperty("top_p").GetDouble(), body.GetProperty("max_tokens").GetInt32()));
        Assert.Equal((1, 1, 16), (plain.GetProperty("temperature").GetDouble(), plain.GetProperty("top_p").GetDouble(), plain.GetProperty("max_tokens").GetInt32()));
    }

    [Fact]
    public void Translate_Chat_JoinsPartsAndKnowsTheDeveloper()
    {
        var body = One(RequestKind.ChatCompletion, """
            {"messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}],
             "tools": [{"type": "function", "function": {"name": "f"}}], "logprobs": true, "top_logprobs": 20, "chat_template_kwargs": {"enable_thinking": false}}
            """);

        Assert.Equal(["system", "user"], body.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("role").GetString()));
        Assert.Equal("ab", body.GetProperty("messages")[1].GetProperty("content").GetString());
        Assert.Equal(20, body.GetProperty("top_logprobs").GetInt32());
        Assert.Equal(256, body.GetProperty("max_tokens").GetInt32());
        Assert.Equal(1, body.GetProperty("tools").GetArrayLength());
        Assert.False(body.GetProperty("chat_template_kwargs").GetProperty("enable_thinking").GetBoolean());
    }

    [Fact]
    public void Translate_SeveralPromptsAndChoices_GivesABodyForEachWithItsOwnSeed()
    {
        var request = Translate(RequestKind.Completion, """{"prompt": ["a", "b"], "n": 2, "seed": 10}""");

        Assert.Equal([0, 1, 2, 3], request.Bodies.Select(body => body.Index));
        Assert.Equal([true, false, true, false], request.Bodies.Select(body => body.CountsPrompt));
        Assert.Equal(["a", "a", "b", "b"], request.Bodies.Select(body => Read(body).GetProperty("prompt").GetString()));
        Assert.Equal([10, 11, 10, 11], request.Bodies.Select(body => Read(body).GetProperty("seed").GetInt32()));
    }

    [Theory]
    [InlineData("prompt", """{"prompt": ["a", 5]}""")]
    [InlineData("prompt[1]", """{"prompt": [1, 512]}""")]
    [InlineData("n", """{"prompt": "a", "n": 200}""")]
    [InlineData("best_of", """{"prompt": "a", "n": 1, "best_of": 2}""")]
    [InlineData("suffix", """{"prompt": "a", "suffix": "b"}""")]
    [InlineData("echo", """{"prompt": "a", "echo": true}""")]
    [InlineData("tool_choice", """{"prompt": "a", "tool_choice": "required"}""")]
    [InlineData("response_format.type", """{"prompt": "a", "response_format": {"type": "json_schema"}}""")]
    [InlineData("logit_bias", """{"prompt": "a", "logit_bias": {"512": 1}}""")]
    public void Translate_WhatCantBe_NamesTheField(string field, string body)
    {
        var error = Assert.Throws<GenerationException>(() => Translate(RequestKind.Completion, body));

        Assert.Equal(400, error.Status);
        Assert.StartsWith(field.Split('[')[0], error.Param, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(404, "context_length_exceeded: the prompt has 600 tokens, the context holds 512 with the answer", 400, "prompt", "context_length_exceeded")]
    [InlineData(404, "generation thread died", 503, null, "engine_unavailable")]
    [InlineData(503, "The model is still loading.", 503, null, "engine_unavailable")]
    [InlineData(400, "logit_bias: '999' is no token id below 512", 400, "logit_bias", "invalid_value")]
    [InlineData(400, "messages[1].role: must be one of user", 400, "messages[1].role", "invalid_value")]
    [InlineData(404, "Conversation roles must alternate user/assistant", 400, null, "invalid_value")]
    public void Explain_ServerError_BecomesOpenAis(int status, string message, int expected, string? param, string code)
    {
        var error = ServerClient.Explain(status, message);

        Assert.Equal((expected, param, code), (error.Status, error.Param, error.Code));
    }

    private static JsonElement One(RequestKind kind, string body, RequestLimits? limits = null) => Read(Assert.Single(Translate(kind, body, limits).Bodies));

    private static ServerRequest Translate(RequestKind kind, string body, RequestLimits? limits = null) =>
        RequestTranslator.Translate(new GenerationRequest("r", kind, Encoding.UTF8.GetBytes(body)), limits ?? Limits);

    private static JsonElement Read(ServerBody body) => JsonSerializer.Deserialize<JsonElement>(body.Json.Span);
}
