using System.Text;
using System.Text.Json;
using ClusterLlm.NodeAgent.Engines.Builtin;
using ClusterLlm.NodeAgent.Engines.Mlx;
using ClusterLlm.Testing;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx;

/// <summary>One contract for both engines: the same body to builtin and to mlx, with the same model, gives the same answer in the same shape.</summary>
[Collection(MlxProcesses.Name)]
public sealed class EngineContractTests(EngineContractTests.BothEngines engines) : IClassFixture<EngineContractTests.BothEngines>
{
    [Fact(Timeout = 120_000)]
    public async Task Completion_Greedy_GivesTheSameTokensAndLogprobs()
    {
        var (builtin, mlx) = await engines.AskAsync(
            new { prompt = "Hello world", max_tokens = 12, temperature = 0, logprobs = 3, return_tokens_as_token_ids = true }, Proto.RequestKind.Completion, TestContext.Current.CancellationToken);

        Assert.Equal(builtin.Tokens, mlx.Tokens);
        Assert.Equal(builtin.Text, mlx.Text);
        Assert.All(builtin.Logprobs.Zip(mlx.Logprobs), pair => Assert.Equal(pair.First, pair.Second, 1e-3));
        AssertSameUsage(builtin, mlx);
    }

    [Fact(Timeout = 120_000)]
    public async Task Chat_GreedyWithLogprobs_GivesTheSameTextAndShapes()
    {
        var (builtin, mlx) = await engines.AskAsync(
            new { messages = new[] { new { role = "developer", content = "Be brief." }, new { role = "user", content = "Hi!" } }, max_completion_tokens = 8, temperature = 0, logprobs = true, top_logprobs = 2 },
            Proto.RequestKind.ChatCompletion,
            TestContext.Current.CancellationToken);

        AssertSameUsage(builtin, mlx);
        Assert.Equal(builtin.Text, mlx.Text);
        Assert.Equal("assistant", mlx.Chunks[0].GetProperty("choices")[0].GetProperty("delta").GetProperty("role").GetString());
        Assert.Equal(Entries(builtin).Select(Shape), Entries(mlx).Select(Shape));
        Assert.Equal(Entries(builtin).Select(entry => entry.GetProperty("token").GetString()), Entries(mlx).Select(entry => entry.GetProperty("token").GetString()));
        Assert.Equal(Entries(builtin).Select(entry => entry.GetProperty("bytes").ToString()), Entries(mlx).Select(entry => entry.GetProperty("bytes").ToString()));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("""{"prompt": "Hello", "max_tokens": 40, "temperature": 0, "stop": ["Q"]}""")]
    [InlineData("""{"prompt": "Hello", "max_tokens": 6, "temperature": 0, "logit_bias": {"65": 100}}""")]
    [InlineData("""{"prompt": "Hello", "temperature": 0}""")]
    [InlineData("""{"prompt": [[5, 6, 7]], "max_tokens": 3, "temperature": 0}""")]
    [InlineData("""{"prompt": "Hello", "max_tokens": 4, "temperature": 0, "repetition_penalty": 1.3}""")]
    [InlineData("""{"prompt": "the theme of the thesis of the theme", "max_tokens": 12, "temperature": 0, "frequency_penalty": 1.5, "presence_penalty": 0.7}""")]
    public async Task Completion_WithOptions_GivesTheSameTextAndEnd(string body)
    {
        var (builtin, mlx) = await engines.AskAsync(Encoding.UTF8.GetBytes(body), Proto.RequestKind.Completion, TestContext.Current.CancellationToken);

        Assert.Equal(builtin.Text, mlx.Text);
        Assert.Equal(builtin.Finished!.FinishReason, mlx.Finished!.FinishReason);
        AssertSameUsage(builtin, mlx);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("""{"prompt": ""}""")]
    [InlineData("""{"prompt": [512]}""")]
    [InlineData("""{"max_tokens": 3}""")]
    [InlineData("""{"prompt": "a", "temperature": "warm"}""")]
    [InlineData("""{"prompt": "a", "temperature": 1e999}""")]
    [InlineData("""{"prompt": "a", "top_p": 2}""")]
    [InlineData("""{"prompt": "a", "logit_bias": {"99999": 5}}""")]
    [InlineData("""{"prompt": "a", "stop": [5]}""")]
    [InlineData("""{"prompt": "a", "seed": "x"}""")]
    [InlineData("""{"prompt": "a", "max_tokens": 0}""")]
    [InlineData("""{"prompt": "a", "echo": true}""")]
    [InlineData("""{"prompt": "a", "response_format": {"type": "json_object"}}""")]
    [InlineData("""{"prompt": "\ud800"}""")]
    [InlineData("""[]""")]
    public async Task Completion_BadField_IsRefusedAlike(string body)
    {
        var (builtin, mlx) = await engines.AskAsync(Encoding.UTF8.GetBytes(body), Proto.RequestKind.Completion, TestContext.Current.CancellationToken);

        Assert.Equal((400u, builtin.Error!.Param, builtin.Error.Code), (mlx.Error!.Status, mlx.Error.Param, mlx.Error.Code));
    }

    [Fact(Timeout = 120_000)]
    public async Task Completion_PromptLongerThanTheContext_IsRefusedAlike()
    {
        var (builtin, mlx) = await engines.AskAsync(new { prompt = Enumerable.Repeat(7, 600) }, Proto.RequestKind.Completion, TestContext.Current.CancellationToken);

        Assert.Equal((400u, "prompt", "context_length_exceeded"), (builtin.Error!.Status, builtin.Error.Param, builtin.Error.Code));
        Assert.Equal((400u, "prompt", "context_length_exceeded"), (mlx.Error!.Status, mlx.Error.Param, mlx.Error.Code));
    }

    private static void AssertSameUsage(MlxAnswer builtin, MlxAnswer mlx)
    {
        Assert.Null(builtin.Error);
        Assert.Null(mlx.Error);
        Assert.Equal((builtin.Finished!.PromptTokens, builtin.Finished.CompletionTokens), (mlx.Finished!.PromptTokens, mlx.Finished.CompletionTokens));
        Assert.Equal(builtin.CountedTokens, mlx.CountedTokens);
    }

    private static IEnumerable<JsonElement> Entries(MlxAnswer answer) => answer.Chunks
        .Select(chunk => chunk.GetProperty("choices")[0])
        .Where(choice => choice.TryGetProperty("logprobs", out var logprobs) && logprobs.ValueKind == JsonValueKind.Object)
        .SelectMany(choice => choice.GetProperty("logprobs").GetProperty("content").EnumerateArray());

    private static string Shape(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "{" + string.Join(",", value.EnumerateObject().Select(member => $"{member.Name}:{Shape(member.Value)}")) + "}",
        JsonValueKind.Array => "[" + string.Join(",", value.EnumerateArray().Select(Shape).Distinct()) + "]",
        _ => value.ValueKind.ToString(),
    };

    /// <summary>One agent that runs the same model on both engines.</summary>
    public sealed class BothEngines : IAsyncLifetime
    {
        private MlxCluster? _cluster;

        public async ValueTask InitializeAsync()
        {
            if (!MlxPython.IsThere)
            {
                return;
            }

            _cluster = await MlxCluster.StartAsync(1, TestContext.Current.CancellationToken);
            var model = TestModels.PathOf("llama-f32");
            foreach (var engine in (string[])[BuiltinEngine.EngineName, MlxEngine.EngineName])
            {
                await _cluster.LaunchAsync(model, [(0, 7)], TestContext.Current.CancellationToken, engine: engine);
            }
        }

        internal Task<(MlxAnswer Builtin, MlxAnswer Mlx)> AskAsync(object body, Proto.RequestKind kind, CancellationToken cancellationToken) =>
            AskAsync(JsonSerializer.SerializeToUtf8Bytes(body), kind, cancellationToken);

        internal async Task<(MlxAnswer Builtin, MlxAnswer Mlx)> AskAsync(byte[] body, Proto.RequestKind kind, CancellationToken cancellationToken)
        {
            MlxPython.Require();
            return (
                await _cluster!.AskAsync(body, cancellationToken, kind, BuiltinEngine.EngineName),
                await _cluster.AskAsync(body, cancellationToken, kind, MlxEngine.EngineName));
        }

        public ValueTask DisposeAsync() => _cluster?.DisposeAsync() ?? ValueTask.CompletedTask;
    }
}
