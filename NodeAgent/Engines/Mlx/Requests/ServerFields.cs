using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClusterLlm.NodeAgent.Engines.Builtin.OpenAi;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Requests;

/// <summary>The fields of mlx_lm's body that say how tokens are chosen and when the answer ends.</summary>
internal static class ServerFields
{
    private const int MostStops = 16;
    private const int DefaultCompletionTokens = 16;

    public static JsonObject Read(RequestFields fields, RequestKind kind, RequestLimits limits)
    {
        var sampling = SamplingReader.Read(fields, limits.Defaults, int.MaxValue, seed: 0);
        var body = new JsonObject
        {
            ["model"] = "default_model",
            ["stream"] = true,
            ["stream_options"] = new JsonObject { ["include_usage"] = true },
            ["temperature"] = sampling.Temperature,
            ["top_p"] = sampling.TopP,
            ["min_p"] = sampling.MinP,
            // 0 and all of the vocabulary mean the same; mlx_lm can't sort out as many as there are.
            ["top_k"] = sampling.TopK >= limits.VocabularySize ? 0 : sampling.TopK,
            ["presence_penalty"] = sampling.PresencePenalty,
            ["frequency_penalty"] = sampling.FrequencyPenalty,
            // The whole sequence counts, as with other engines; mlx_lm alone would look at 20 tokens.
            ["presence_context_size"] = limits.ContextTokens,
            ["frequency_context_size"] = limits.ContextTokens,
            ["max_tokens"] = MaxTokens(fields, kind, limits),
        };
        if (sampling.RepetitionPenalty != 1)
        {
            body["repetition_penalty"] = sampling.RepetitionPenalty;
            body["repetition_context_size"] = limits.ContextTokens;
        }

        AddBias(body, sampling.LogitBias, limits.VocabularySize);
        AddStops(body, fields);
        if (fields.Boolean("ignore_eos") == true)
        {
            body["ignore_eos"] = true;
        }

        return body;
    }

    /// <summary>More than the context holds is cut by the server, which knows the prompt's tokens.</summary>
    private static int MaxTokens(RequestFields fields, RequestKind kind, RequestLimits limits)
    {
        var asked = fields.Integer("max_completion_tokens", 1, int.MaxValue) ?? fields.Integer("max_tokens", 1, int.MaxValue);
        return asked ?? limits.Defaults.MaxNewTokens ?? (kind == RequestKind.Completion ? DefaultCompletionTokens : limits.ContextTokens);
    }

    private static void AddStops(JsonObject body, RequestFields fields)
    {
        if (fields.Find("stop") is not { } json)
        {
            return;
        }

        string[] stops = json.ValueKind == JsonValueKind.Array
            ? [.. json.EnumerateArray().Select((stop, index) => RequestFields.Text(stop, $"stop[{index}]"))]
            : json.ValueKind == JsonValueKind.String ? [RequestFields.Text(json, "stop")]
            : throw fields.Invalid("stop", json, "a string or an array of strings");
        if (stops.Length > MostStops)
        {
            throw new GenerationException(400, $"'stop' has {stops.Length} entries; {MostStops} are allowed.", "stop", "invalid_value");
        }

        var kept = stops.Where(stop => stop.Length > 0).Select(stop => (JsonNode?)stop).ToArray();
        if (kept.Length > 0)
        {
            body["stop"] = new JsonArray(kept);
        }
    }

    /// <summary>
    /// A bias on a token that the model lacks would make mlx_lm write to memory that is not its own. One against it is left out, as it changes nothing
    /// (clients ban <c>50256</c> whatever the model); one in favour of it asks for what can't be.
    /// </summary>
    private static void AddBias(JsonObject body, IReadOnlyDictionary<int, float> biases, int vocabulary)
    {
        var kept = new JsonObject();
        foreach (var (token, bias) in biases)
        {
            if (token < vocabulary)
            {
                kept[token.ToString(CultureInfo.InvariantCulture)] = bias;
            }
            else if (bias > 0)
            {
                throw new GenerationException(400, $"'logit_bias' names the token '{token}'; ids go from 0 to {vocabulary - 1}.", "logit_bias", "invalid_value");
            }
        }

        if (kept.Count > 0)
        {
            body["logit_bias"] = kept;
        }
    }
}
