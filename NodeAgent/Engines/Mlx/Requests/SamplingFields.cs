using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Requests;

/// <summary>Fields that say how tokens are chosen and when the answer ends.</summary>
internal static class SamplingFields
{
    private const int MostStops = 8;
    private const double StrongestBias = 100;

    public static JsonObject Read(JsonElement body, RequestLimits limits)
    {
        var target = new JsonObject
        {
            ["model"] = "default_model",
            ["stream"] = true,
            ["stream_options"] = new JsonObject { ["include_usage"] = true },
            ["temperature"] = BodyFields.Number(body, "temperature", 0, 100) ?? limits.Temperature,
            ["top_p"] = BodyFields.Number(body, "top_p", 0, 1) ?? limits.TopP,
            ["min_p"] = BodyFields.Number(body, "min_p", 0, 1) ?? limits.MinP,
            ["top_k"] = TopK(body, limits),
            ["presence_penalty"] = BodyFields.Number(body, "presence_penalty", -100, 100) ?? 0,
            ["frequency_penalty"] = BodyFields.Number(body, "frequency_penalty", -100, 100) ?? 0,
        };
        if (BodyFields.Flag(body, "ignore_eos"))
        {
            target["ignore_eos"] = true;
        }

        AddRepetition(target, body, limits);
        AddLimit(target, body);
        AddStop(target, body);
        AddBias(target, body, limits.VocabularySize);
        return target;
    }

    /// <summary>−1, 0 and all of the vocabulary mean the same; mlx_lm can't sort out as many as there are.</summary>
    private static long TopK(JsonElement body, RequestLimits limits)
    {
        var wanted = BodyFields.Whole(body, "top_k", -1, int.MaxValue) ?? limits.TopK;
        return wanted <= 0 || wanted >= limits.VocabularySize ? 0 : wanted;
    }

    private static void AddRepetition(JsonObject target, JsonElement body, RequestLimits limits)
    {
        const double Least = 1e-3;
        var penalty = BodyFields.Number(body, "repetition_penalty", Least, 100) ?? limits.RepetitionPenalty;
        if (penalty != 1)
        {
            target["repetition_penalty"] = penalty;
            // The whole sequence counts, as with other engines; mlx_lm alone would look at 20 tokens.
            target["repetition_context_size"] = limits.ContextTokens;
        }

        target["presence_context_size"] = limits.ContextTokens;
        target["frequency_context_size"] = limits.ContextTokens;
    }

    private static void AddLimit(JsonObject target, JsonElement body)
    {
        var limit = BodyFields.Whole(body, "max_completion_tokens", 1, int.MaxValue) ?? BodyFields.Whole(body, "max_tokens", 1, int.MaxValue);
        if (limit is { } tokens)
        {
            target["max_tokens"] = tokens;
        }
    }

    private static void AddStop(JsonObject target, JsonElement body)
    {
        if (!BodyFields.Has(body, "stop", out var stop))
        {
            return;
        }

        var words = stop.ValueKind == JsonValueKind.Array ? stop.EnumerateArray().ToArray() : [stop];
        if (words.Length > MostStops || words.Any(word => word.ValueKind != JsonValueKind.String || word.GetString() is not { Length: > 0 }))
        {
            throw BodyFields.Bad("stop", $"a string or up to {MostStops} strings, none of them empty", stop);
        }

        if (words.Length > 0)
        {
            target["stop"] = new JsonArray([.. words.Select(word => JsonValue.Create(word.GetString()))]);
        }
    }

    /// <summary>A bias on a token outside the vocabulary would make mlx_lm write to memory that is not its own: it is left out, it can't change anything.</summary>
    private static void AddBias(JsonObject target, JsonElement body, int vocabulary)
    {
        if (!BodyFields.Has(body, "logit_bias", out var biases))
        {
            return;
        }

        if (biases.ValueKind != JsonValueKind.Object)
        {
            throw BodyFields.Bad("logit_bias", "an object of token ids", biases);
        }

        var kept = new JsonObject();
        foreach (var bias in biases.EnumerateObject())
        {
            var isToken = int.TryParse(bias.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var token);
            if (!isToken || bias.Value.ValueKind != JsonValueKind.Number || !bias.Value.TryGetDouble(out var strength) || !(Math.Abs(strength) <= StrongestBias))
            {
                throw BodyFields.Bad("logit_bias", $"'logit_bias' must map token ids to numbers from -{StrongestBias} to {StrongestBias}, but has \"{Cut(bias.Name)}\": {Cut(bias.Value.GetRawText())}.");
            }

            if (token < vocabulary)
            {
                kept[token.ToString(CultureInfo.InvariantCulture)] = strength;
            }
        }

        if (kept.Count > 0)
        {
            target["logit_bias"] = kept;
        }
    }

    private static string Cut(string text) => text.Length > 40 ? string.Concat(text.AsSpan(0, 40), "…") : text;
}
