using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Requests;

/// <summary>The prompts of a text completion: a text, token ids, or a list of either.</summary>
internal static class Prompts
{
    private const int MostPrompts = 128;

    public static ImmutableArray<JsonNode> Read(JsonElement body, int vocabulary)
    {
        if (!BodyFields.Has(body, "prompt", out var prompt))
        {
            throw BodyFields.Bad("prompt", "'prompt' is missing: it must be a text or a list of token ids.");
        }

        var isList = prompt.ValueKind == JsonValueKind.Array && prompt.GetArrayLength() > 0 && prompt[0].ValueKind is JsonValueKind.String or JsonValueKind.Array;
        if (!isList)
        {
            return [ReadOne(prompt, "prompt", vocabulary)];
        }

        return prompt.GetArrayLength() <= MostPrompts
            ? [.. prompt.EnumerateArray().Select((item, index) => ReadOne(item, $"prompt[{index}]", vocabulary))]
            : throw BodyFields.Bad("prompt", $"'prompt' has {prompt.GetArrayLength()} elements: at most {MostPrompts} are taken.");
    }

    private static JsonNode ReadOne(JsonElement prompt, string path, int vocabulary) => prompt.ValueKind switch
    {
        JsonValueKind.String when prompt.GetString() is { Length: > 0 } text => JsonValue.Create(text),
        JsonValueKind.Array when prompt.GetArrayLength() > 0 => new JsonArray([.. prompt.EnumerateArray().Select((token, index) => Token(token, $"{path}[{index}]", vocabulary))]),
        _ => throw BodyFields.Bad(path, $"'{path}' must be a text or a list of token ids, and not empty."),
    };

    private static JsonValue Token(JsonElement token, string path, int vocabulary) =>
        token.ValueKind == JsonValueKind.Number && token.TryGetInt32(out var id) && id >= 0 && id < vocabulary
            ? JsonValue.Create(id)
            : throw BodyFields.Bad(path, $"a token id from 0 to {vocabulary - 1}", token);
}
