using System.Text.Json;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>Rules for the <c>prompt</c> of a text completion: a string, a list of strings, token ids, or a list of lists of token ids.</summary>
internal static class PromptRules
{
    private const string Expected = "a string, a list of strings, a list of token ids, or a list of such lists";

    public static ApiError? Check(JsonElement body, int vocabularySize)
    {
        if (!FieldRules.Has(body, "prompt", out var prompt))
        {
            return FieldRules.Absent("prompt", Expected);
        }

        var fault = prompt.ValueKind switch
        {
            JsonValueKind.String => JsonText.TextOrNull(prompt) is null ? FieldRules.WrongType("prompt", Expected, prompt) : null,
            JsonValueKind.Array => CheckList(prompt, vocabularySize),
            _ => FieldRules.WrongType("prompt", Expected, prompt),
        };
        return fault ?? FieldRules.Flag(body, "echo") ?? FieldRules.Text(body, "suffix", "suffix");
    }

    private static ApiError? CheckList(JsonElement prompt, int vocabularySize)
    {
        if (prompt.GetArrayLength() == 0)
        {
            return ApiError.BadRequest("'prompt' is an empty list: it must hold a prompt.", "prompt", FieldRules.InvalidValue);
        }

        var kind = prompt[0].ValueKind;
        var index = 0;
        foreach (var item in prompt.EnumerateArray())
        {
            if (CheckItem(item, kind, $"prompt[{index++}]", vocabularySize) is { } fault)
            {
                return fault;
            }
        }

        return null;
    }

    /// <param name="kind">What the first item is: a list holds one kind only.</param>
    private static ApiError? CheckItem(JsonElement item, JsonValueKind kind, string path, int vocabularySize)
    {
        if (item.ValueKind != kind)
        {
            return FieldRules.WrongType(path, "of the same kind as prompt[0]", item);
        }

        return kind switch
        {
            JsonValueKind.String when JsonText.TextOrNull(item) is not null => null,
            JsonValueKind.Number => CheckToken(item, path, vocabularySize),
            JsonValueKind.Array => CheckTokens(item, path, vocabularySize),
            _ => FieldRules.WrongType(path, "a string, a token id or a list of token ids", item),
        };
    }

    private static ApiError? CheckTokens(JsonElement tokens, string path, int vocabularySize)
    {
        if (tokens.GetArrayLength() == 0)
        {
            return ApiError.BadRequest($"'{path}' is an empty list: it must hold token ids.", path, FieldRules.InvalidValue);
        }

        var index = 0;
        foreach (var token in tokens.EnumerateArray())
        {
            if (CheckToken(token, $"{path}[{index++}]", vocabularySize) is { } fault)
            {
                return fault;
            }
        }

        return null;
    }

    private static ApiError? CheckToken(JsonElement token, string path, int vocabularySize)
    {
        if (token.ValueKind != JsonValueKind.Number)
        {
            return FieldRules.WrongType(path, "a token id", token);
        }

        var known = token.TryGetInt32(out var id) && id >= 0 && (vocabularySize == 0 || id < vocabularySize);
        var range = vocabularySize > 0 ? $"a token id from 0 to {vocabularySize - 1}" : "a token id of 0 or more";
        return known ? null : FieldRules.OutOfRange(path, token, range);
    }
}
