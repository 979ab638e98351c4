using System.Text;
using System.Text.Json;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx;

/// <summary>What came back for one request.</summary>
internal sealed class MlxAnswer
{
    private readonly StringBuilder _text = new();

    public string Text => _text.ToString();

    public List<JsonElement> Chunks { get; } = [];

    /// <summary>Ids of the sampled tokens; only with log-probabilities and <c>return_tokens_as_token_ids</c>.</summary>
    public List<int> Tokens { get; } = [];

    public List<double> Logprobs { get; } = [];

    public Proto.GenerateFinished? Finished { get; private set; }

    public Proto.GenerateError? Error { get; private set; }

    public int CountedTokens { get; private set; }

    public List<Proto.GenerateProgress> Progress { get; } = [];

    public void Add(Proto.GenerateEvent happening)
    {
        Assert.Null(Finished);
        Assert.Null(Error);
        switch (happening.EventCase)
        {
            case Proto.GenerateEvent.EventOneofCase.Progress:
                Progress.Add(happening.Progress);
                break;
            case Proto.GenerateEvent.EventOneofCase.Chunk:
                AddChunk(happening.Chunk);
                break;
            case Proto.GenerateEvent.EventOneofCase.Finished:
                Finished = happening.Finished;
                break;
            default:
                Error = happening.Error;
                break;
        }
    }

    private void AddChunk(Proto.GenerateChunk chunk)
    {
        CountedTokens += (int)chunk.TokenCount;
        using var document = JsonDocument.Parse(chunk.Json.Memory);
        var root = document.RootElement.Clone();
        Chunks.Add(root);
        var choice = root.GetProperty("choices")[0];
        if (choice.TryGetProperty("text", out var text) || (choice.TryGetProperty("delta", out var delta) && delta.TryGetProperty("content", out text)))
        {
            _text.Append(text.GetString());
        }

        if (choice.TryGetProperty("logprobs", out var logprobs) && logprobs.ValueKind == JsonValueKind.Object && logprobs.TryGetProperty("tokens", out var tokens))
        {
            Tokens.AddRange(tokens.EnumerateArray().Select(token => token.GetString()!).Where(token => token.StartsWith("token_id:", StringComparison.Ordinal)).Select(token => int.Parse(token[9..], System.Globalization.CultureInfo.InvariantCulture)));
            Logprobs.AddRange(logprobs.GetProperty("token_logprobs").EnumerateArray().Select(value => value.GetDouble()));
        }
    }
}
