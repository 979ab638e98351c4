using System.Text.Json;

namespace ClusterLlm.Coordinator.Comparisons.Load;

/// <summary>What a chunk of a streamed answer says to a measurement.</summary>
/// <param name="Text">Of the first choice, reasoning included; empty when it has none.</param>
/// <param name="Problem">An error that the endpoint sent instead of a chunk.</param>
internal readonly record struct AnswerChunk(string Text, int? PromptTokens, int? CachedTokens, int? CompletionTokens, bool IsEnd, string? Problem)
{
    private const int MostShown = 200;

    /// <summary>Never throws: what is no chunk becomes a problem with the beginning of what came.</summary>
    public static AnswerChunk Read(ReadOnlySpan<byte> data)
    {
        if (data.SequenceEqual("[DONE]"u8))
        {
            return new AnswerChunk("", null, null, null, true, null);
        }

        try
        {
            var reader = new Utf8JsonReader(data);
            using var document = JsonDocument.ParseValue(ref reader);
            return Read(document.RootElement);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or FormatException)
        {
            return Failed($"the endpoint sent an event that is no chunk of an answer: {Shown(data)}");
        }
    }

    /// <summary>What an endpoint says in a body that is no stream: the message of an error, else the beginning of what came.</summary>
    public static string Said(ReadOnlySpan<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            using var document = JsonDocument.ParseValue(ref reader);
            return document.RootElement.ValueKind == JsonValueKind.Object && Read(document.RootElement).Problem is { } problem ? problem : Shown(body);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return Shown(body);
        }
    }

    private static string Shown(ReadOnlySpan<byte> data)
    {
        var text = System.Text.Encoding.UTF8.GetString(data[..Math.Min(data.Length, MostShown)]).ReplaceLineEndings(" ");
        return data.Length > MostShown ? $"{text}…" : text;
    }

    private static AnswerChunk Read(JsonElement chunk)
    {
        if (chunk.TryGetProperty("error", out var error) && error.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined))
        {
            return Failed(error.ValueKind == JsonValueKind.Object && error.TryGetProperty("message", out var message) ? message.ToString() : error.ToString());
        }

        int? prompt = null, cached = null, completion = null;
        if (chunk.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object)
        {
            (prompt, completion) = (Number(usage, "prompt_tokens"), Number(usage, "completion_tokens"));
            cached = usage.TryGetProperty("prompt_tokens_details", out var details) && details.ValueKind == JsonValueKind.Object ? Number(details, "cached_tokens") : null;
        }

        var text = chunk.TryGetProperty("choices", out var choices) && choices.ValueKind == JsonValueKind.Array && choices.GetArrayLength() > 0 ? TextOf(choices[0]) : "";
        return new AnswerChunk(text, prompt, cached, completion, false, null);
    }

    private static string TextOf(JsonElement choice)
    {
        if (String(choice, "text") is { Length: > 0 } text)
        {
            return text;
        }

        return choice.TryGetProperty("delta", out var delta) && delta.ValueKind == JsonValueKind.Object
            ? String(delta, "content") + String(delta, "reasoning_content") + String(delta, "reasoning")
            : "";
    }

    private static string String(JsonElement owner, string name) =>
        owner.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static int? Number(JsonElement owner, string name) =>
        owner.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 0 ? number : null;

    private static AnswerChunk Failed(string problem) => new("", null, null, null, true, problem);
}
