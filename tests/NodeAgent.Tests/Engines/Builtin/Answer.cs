using System.Text;
using System.Text.Json;
using ClusterLlm.NodeAgent.Engines;

namespace ClusterLlm.NodeAgent.Tests.Engines.Builtin;

/// <summary>All that a generation gave.</summary>
internal sealed record Answer(string Text, int[] Tokens, double[] LogProbs, GenerationEvent.Finished Finished, IReadOnlyList<JsonElement> Chunks)
{
    /// <summary>Sends a body and collects the events.</summary>
    public static async Task<Answer> OfAsync(IShard shard, RequestKind kind, string body, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        List<int> tokens = [];
        List<double> logProbs = [];
        List<JsonElement> chunks = [];
        GenerationEvent.Finished? finished = null;
        var request = new GenerationRequest("request", kind, Encoding.UTF8.GetBytes(body));
        await foreach (var generationEvent in shard.GenerateAsync(request, cancellationToken))
        {
            finished = generationEvent as GenerationEvent.Finished;
            if (generationEvent is not GenerationEvent.Chunk chunk)
            {
                continue;
            }

            var json = JsonElement.Parse(chunk.Json.Span);
            chunks.Add(json);
            var choice = json.GetProperty("choices")[0];
            text.Append(kind == RequestKind.Completion
                ? choice.GetProperty("text").GetString()
                : choice.GetProperty("delta").TryGetProperty("content", out var content) ? content.GetString() : "");
            if (kind == RequestKind.Completion && choice.GetProperty("logprobs") is { ValueKind: JsonValueKind.Object } listed)
            {
                tokens.AddRange(listed.GetProperty("tokens").EnumerateArray().Select(token => int.Parse(token.GetString()!["token_id:".Length..])));
                logProbs.AddRange(listed.GetProperty("token_logprobs").EnumerateArray().Select(value => value.GetDouble()));
            }
        }

        Assert.NotNull(finished);
        return new Answer(text.ToString(), [.. tokens], [.. logProbs], finished, chunks);
    }

    /// <summary>A greedy completion of token ids that does not end by itself.</summary>
    public static Task<Answer> GreedyAsync(IShard shard, int[] prompt, int count, CancellationToken cancellationToken) => OfAsync(
        shard,
        RequestKind.Completion,
        $$"""{"prompt":[{{string.Join(',', prompt)}}],"max_tokens":{{count}},"temperature":0,"repetition_penalty":1,"ignore_eos":true,"logprobs":2,"return_tokens_as_token_ids":true}""",
        cancellationToken);
}
