using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClusterLlm.NodeAgent.Engines.Builtin.OpenAi;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Requests;

/// <summary>The prompts of a text completion: a text, token ids, or a list of either.</summary>
internal static class Prompts
{
    private const int MostPrompts = 128;

    public static ImmutableArray<JsonNode> Read(RequestFields fields, int vocabulary)
    {
        if (fields.Find("prompt") is not { } prompt)
        {
            throw new GenerationException(400, "'prompt' is missing.", "prompt", "missing_required_parameter");
        }

        var isList = prompt.ValueKind == JsonValueKind.Array && prompt.GetArrayLength() > 0 && prompt[0].ValueKind != JsonValueKind.Number;
        if (!isList)
        {
            return [ReadOne(prompt, "prompt", vocabulary)];
        }

        return prompt.GetArrayLength() <= MostPrompts
            ? [.. prompt.EnumerateArray().Select((item, index) => ReadOne(item, $"prompt[{index}]", vocabulary))]
            : throw new GenerationException(400, $"'prompt' has {prompt.GetArrayLength()} prompts; at most {MostPrompts} are taken.", "prompt", "invalid_value");
    }

    private static JsonNode ReadOne(JsonElement prompt, string path, int vocabulary) => prompt.ValueKind switch
    {
        JsonValueKind.String => RequestFields.Text(prompt, path) is { Length: > 0 } text ? JsonValue.Create(text) : throw Empty(path),
        JsonValueKind.Array when prompt.GetArrayLength() > 0 =>
            new JsonArray([.. prompt.EnumerateArray().Select((token, index) => Token(token, $"{path}[{index}]", vocabulary))]),
        JsonValueKind.Array => throw Empty(path),
        _ => throw RequestFields.Invalid(path, prompt, "a string or an array of token ids", ""),
    };

    private static JsonValue Token(JsonElement token, string path, int vocabulary) =>
        token.ValueKind == JsonValueKind.Number && token.TryGetInt32(out var id) && id >= 0 && id < vocabulary
            ? JsonValue.Create(id)
            : throw RequestFields.Invalid(path, token, $"a token id from 0 to {vocabulary - 1}", "");

    private static GenerationException Empty(string path) => new(400, $"'{path}' is empty: there is no token to continue.", path, "invalid_value");
}
