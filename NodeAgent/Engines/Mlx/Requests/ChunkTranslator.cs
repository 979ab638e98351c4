using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Requests;

/// <summary>What a chunk of the server holds besides text.</summary>
/// <param name="Json">OpenAI's chunk; empty when it has nothing for a client.</param>
/// <param name="TokenCount">Tokens that it stands for.</param>
/// <param name="FinishReason">Null until the last chunk.</param>
internal readonly record struct TranslatedChunk(ReadOnlyMemory<byte> Json, int TokenCount, string? FinishReason, ServerUsage? Usage);

/// <summary>The server's count of an answer.</summary>
internal sealed record ServerUsage(int PromptTokens, int CachedTokens, int CompletionTokens);

/// <summary>Turns the server's chunks of one choice into OpenAI's.</summary>
internal sealed class ChunkTranslator(ServerRequest request, int index)
{
    private bool _saidRole;
    private int _textLength;

    /// <exception cref="JsonException">The server wrote something that is no chunk.</exception>
    public TranslatedChunk Translate(ReadOnlyMemory<byte> json)
    {
        var chunk = JsonNode.Parse(json.Span) as JsonObject ?? throw new JsonException("A chunk of the server is no object.");
        var facts = chunk["clusterllm"] as JsonObject;
        var tokens = facts?["tokens"]?.GetValue<int>() ?? 0;
        if (chunk["choices"] is not JsonArray { Count: > 0 } choices || choices[0] is not JsonObject choice)
        {
            return new TranslatedChunk(default, tokens, null, ReadUsage(chunk["usage"]));
        }

        var finish = choice["finish_reason"]?.GetValue<string>();
        var entries = facts?["logprobs"] as JsonArray;
        var result = new JsonObject { ["index"] = index };
        var says = request.Kind == RequestKind.ChatCompletion ? AddDelta(result, choice) : AddText(result, choice);
        result["logprobs"] = request.Logprobs && entries is { Count: > 0 } ? Logprobs(entries) : null;
        result["finish_reason"] = finish;
        if (!says && finish is null && tokens == 0)
        {
            return new TranslatedChunk(default, 0, null, null);
        }

        var whole = new JsonObject
        {
            ["object"] = request.Kind == RequestKind.ChatCompletion ? "chat.completion.chunk" : "text_completion",
            ["choices"] = new JsonArray(result),
        };
        return new TranslatedChunk(JsonSerializer.SerializeToUtf8Bytes(whole), tokens, finish, null);
    }

    private bool AddDelta(JsonObject result, JsonObject choice)
    {
        var delta = choice["delta"]?.DeepClone() as JsonObject ?? [];
        // The server repeats the role in every chunk; OpenAI says it once.
        delta.Remove("role");
        var says = delta.Count > 0;
        if (!_saidRole)
        {
            delta.Insert(0, "role", "assistant");
            if (!says)
            {
                delta["content"] = "";
            }

            _saidRole = true;
        }

        result["delta"] = delta;
        return says;
    }

    private static bool AddText(JsonObject result, JsonObject choice)
    {
        var text = choice["text"]?.GetValue<string>() ?? "";
        result["text"] = text;
        return text.Length > 0;
    }

    private JsonObject Logprobs(JsonArray entries) => request.Kind == RequestKind.ChatCompletion
        ? new JsonObject { ["content"] = new JsonArray([.. entries.OfType<JsonObject>().Select(entry => Entry(entry, withTop: true))]), ["refusal"] = null }
        : CompletionLogprobs([.. entries.OfType<JsonObject>()]);

    private JsonObject Entry(JsonObject entry, bool withTop)
    {
        var result = new JsonObject
        {
            ["token"] = Name(entry),
            ["logprob"] = entry["logprob"]?.DeepClone(),
            ["bytes"] = entry["bytes"]?.DeepClone(),
        };
        if (withTop)
        {
            result["top_logprobs"] = new JsonArray([.. Top(entry).Select(top => Entry(top, withTop: false))]);
        }

        return result;
    }

    /// <summary>The older shape: four lists side by side.</summary>
    private JsonObject CompletionLogprobs(JsonObject[] entries)
    {
        var offsets = new JsonArray();
        foreach (var entry in entries)
        {
            offsets.Add(_textLength);
            _textLength += (entry["token"]?.GetValue<string>() ?? "").Length;
        }

        return new JsonObject
        {
            ["tokens"] = new JsonArray([.. entries.Select(entry => (JsonNode?)Name(entry))]),
            ["token_logprobs"] = new JsonArray([.. entries.Select(entry => entry["logprob"]?.DeepClone())]),
            ["top_logprobs"] = new JsonArray([.. entries.Select(TopByToken)]),
            ["text_offset"] = offsets,
        };
    }

    private JsonObject TopByToken(JsonObject entry)
    {
        var result = new JsonObject();
        foreach (var top in Top(entry))
        {
            // Two tokens may have the same text: the likelier one comes first and stays.
            result.TryAdd(Name(top), top["logprob"]?.DeepClone());
        }

        return result;
    }

    private string Name(JsonObject token) => request.TokensAsIds
        ? string.Create(CultureInfo.InvariantCulture, $"token_id:{token["id"]?.GetValue<int>()}")
        : token["token"]?.GetValue<string>() ?? "";

    private static IEnumerable<JsonObject> Top(JsonObject entry) => (entry["top"] as JsonArray)?.OfType<JsonObject>() ?? [];

    private static ServerUsage? ReadUsage(JsonNode? usage) => usage is JsonObject counts
        ? new ServerUsage(
            counts["prompt_tokens"]?.GetValue<int>() ?? 0,
            counts["prompt_tokens_details"]?["cached_tokens"]?.GetValue<int>() ?? 0,
            counts["completion_tokens"]?.GetValue<int>() ?? 0)
        : null;
}
