using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Builtin.Sampling;

namespace ClusterLlm.NodeAgent.Engines.Builtin.OpenAi;

/// <summary>The sampling fields of a request over what the model's generation_config.json recommends.</summary>
internal static class SamplingReader
{
    /// <param name="seed">Used when the request names none.</param>
    /// <exception cref="GenerationException">A field is of the wrong type or out of its range.</exception>
    public static SamplingSettings Read(RequestFields fields, GenerationDefaults defaults, int vocabularySize, ulong seed) => new(
        fields.Number("temperature", 0, 100) ?? DefaultTemperature(defaults),
        fields.Integer("top_k", -1, int.MaxValue) is { } topK ? Math.Max(0, topK) : defaults.TopK ?? 0,
        fields.Number("top_p", 0, 1) ?? defaults.TopP ?? 1,
        fields.Number("min_p", 0, 1) ?? defaults.MinP ?? 0,
        fields.Number("repetition_penalty", 0.01, 100) ?? defaults.RepetitionPenalty ?? 1,
        fields.Number("presence_penalty", -2, 2) ?? 0,
        fields.Number("frequency_penalty", -2, 2) ?? 0,
        ReadBias(fields, vocabularySize),
        fields.Long("seed") is { } given ? unchecked((ulong)given) : seed);

    /// <summary>OpenAI's default is 1; a model that says do_sample false wants to be greedy.</summary>
    private static double DefaultTemperature(GenerationDefaults defaults) => defaults.DoSample == false ? 0 : defaults.Temperature ?? 1;

    private static ImmutableDictionary<int, float> ReadBias(RequestFields fields, int vocabularySize)
    {
        if (fields.Find("logit_bias") is not { } json)
        {
            return ImmutableDictionary<int, float>.Empty;
        }

        if (json.ValueKind != JsonValueKind.Object)
        {
            throw fields.Invalid("logit_bias", json, "an object of token ids and biases");
        }

        var biases = ImmutableDictionary.CreateBuilder<int, float>();
        foreach (var entry in json.EnumerateObject())
        {
            if (!int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var token) || token >= vocabularySize)
            {
                throw new GenerationException(
                    400, $"'logit_bias' names the token '{entry.Name}'; ids go from 0 to {vocabularySize - 1}.", "logit_bias", "invalid_value");
            }

            biases[token] = (float)(new RequestFields(json, "logit_bias.").Number(entry.Name, -100, 100) ?? 0);
        }

        return biases.ToImmutable();
    }
}
