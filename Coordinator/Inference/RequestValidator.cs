using System.Text.Json;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>
/// Checks a request body before it travels to an agent. What OpenAI's reference defines is checked for type and range; fields that it doesn't know are
/// left alone, for they may mean something to an engine. The first fault found is the answer.
/// </summary>
internal static class RequestValidator
{
    private const int MostStops = 8;

    /// <summary>OpenAI's limit for <c>n</c>.</summary>
    private const int MostChoices = 128;

    /// <summary>The first fault of <paramref name="body"/>, or <see langword="null"/>.</summary>
    /// <param name="vocabularySize">Tokens of the model; 0 when it is not known, then token ids are only checked for sign.</param>
    public static ApiError? Check(JsonElement body, RequestKind kind, int vocabularySize)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            return ApiError.BadRequest($"The body must be a JSON object, but is {JsonText.Show(body)}.", null, FieldRules.InvalidType);
        }

        return FieldRules.RequiredText(body, "model", "model")
            ?? (kind == RequestKind.ChatCompletion ? MessageRules.Check(body) : PromptRules.Check(body, vocabularySize))
            ?? CheckStream(body)
            ?? CheckSampling(body)
            ?? CheckLengths(body)
            ?? CheckStop(body)
            ?? CheckLogitBias(body, vocabularySize)
            ?? CheckLogprobs(body, kind)
            ?? ToolRules.Check(body);
    }

    /// <summary>What the gateway needs of a body that <see cref="Check"/> found no fault in.</summary>
    public static InferenceRequest Read(JsonElement body, RequestKind kind) => new(
        kind,
        body.GetProperty("model").GetString()!,
        FieldRules.Has(body, "stream", out var stream) && stream.GetBoolean(),
        FieldRules.Has(body, "stream_options", out var options) && FieldRules.Has(options, "include_usage", out var usage) && usage.GetBoolean(),
        ReadLimit(body, "max_completion_tokens") ?? ReadLimit(body, "max_tokens"));

    private static int? ReadLimit(JsonElement body, string name) =>
        FieldRules.Has(body, name, out var value) && FieldRules.TryWhole(value, out var limit) ? (int)limit : null;

    private static ApiError? CheckStream(JsonElement body)
    {
        if (FieldRules.Flag(body, "stream") is { } fault)
        {
            return fault;
        }

        if (!FieldRules.Has(body, "stream_options", out var options))
        {
            return null;
        }

        if (options.ValueKind != JsonValueKind.Object)
        {
            return FieldRules.WrongType("stream_options", "an object", options);
        }

        return FieldRules.Flag(options, "include_usage") is null
            ? null
            : FieldRules.WrongType("stream_options.include_usage", "true or false", options.GetProperty("include_usage"));
    }

    private static ApiError? CheckSampling(JsonElement body) =>
        FieldRules.Number(body, "temperature", 0, 2)
        ?? FieldRules.Number(body, "top_p", 0, 1)
        // 0 and -1 both mean "all" somewhere.
        ?? FieldRules.Integer(body, "top_k", -1, int.MaxValue)
        ?? FieldRules.Number(body, "min_p", 0, 1)
        ?? FieldRules.Number(body, "frequency_penalty", -2, 2)
        ?? FieldRules.Number(body, "presence_penalty", -2, 2)
        ?? CheckRepetitionPenalty(body)
        ?? FieldRules.Integer(body, "seed", long.MinValue, long.MaxValue);

    /// <summary>Logits are divided by it, so 0 has no meaning.</summary>
    private static ApiError? CheckRepetitionPenalty(JsonElement body)
    {
        const double Most = 10;
        var fault = FieldRules.Number(body, "repetition_penalty", double.Epsilon, Most);
        return fault?.Code == FieldRules.InvalidValue
            ? FieldRules.OutOfRange("repetition_penalty", body.GetProperty("repetition_penalty"), $"above 0 and at most {Most}")
            : fault;
    }

    private static ApiError? CheckLengths(JsonElement body) =>
        FieldRules.Integer(body, "max_tokens", 1, int.MaxValue)
        ?? FieldRules.Integer(body, "max_completion_tokens", 1, int.MaxValue)
        ?? FieldRules.Integer(body, "n", 1, MostChoices)
        ?? FieldRules.Integer(body, "best_of", 1, MostChoices);

    private static ApiError? CheckStop(JsonElement body)
    {
        if (!FieldRules.Has(body, "stop", out var stop))
        {
            return null;
        }

        if (stop.ValueKind == JsonValueKind.String)
        {
            return FieldRules.RequiredText(body, "stop", "stop");
        }

        if (stop.ValueKind != JsonValueKind.Array)
        {
            return FieldRules.WrongType("stop", "a string or a list of strings", stop);
        }

        if (stop.GetArrayLength() > MostStops)
        {
            return ApiError.BadRequest($"'stop' has {stop.GetArrayLength()} strings: at most {MostStops} are taken.", "stop", FieldRules.InvalidValue);
        }

        return stop.EnumerateArray()
            .Select((text, index) => JsonText.TextOrNull(text) is { Length: > 0 } ? null : FieldRules.WrongType($"stop[{index}]", "a string that is not empty", text))
            .FirstOrDefault(fault => fault is not null);
    }

    private static ApiError? CheckLogitBias(JsonElement body, int vocabularySize)
    {
        if (!FieldRules.Has(body, "logit_bias", out var biases))
        {
            return null;
        }

        return biases.ValueKind == JsonValueKind.Object
            ? biases.EnumerateObject().Select(bias => CheckBias(bias, vocabularySize)).FirstOrDefault(fault => fault is not null)
            : FieldRules.WrongType("logit_bias", "an object of token ids", biases);
    }

    /// <summary>
    /// A bias against a token that the model doesn't have changes nothing and is let through: clients ban <c>50256</c> whatever the model. One in favour
    /// of it asks for what can't be.
    /// </summary>
    private static ApiError? CheckBias(JsonProperty bias, int vocabularySize)
    {
        const double Strongest = 100;
        var path = $"logit_bias.{bias.Name}";
        if (bias.Value.ValueKind != JsonValueKind.Number)
        {
            return FieldRules.WrongType(path, "a number", bias.Value);
        }

        if (!bias.Value.TryGetDouble(out var strength) || !(Math.Abs(strength) <= Strongest))
        {
            return FieldRules.OutOfRange(path, bias.Value, $"from -{Strongest} to {Strongest}");
        }

        var isId = int.TryParse(bias.Name, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var token);
        if (isId && (vocabularySize == 0 || token < vocabularySize || strength <= 0))
        {
            return null;
        }

        var range = vocabularySize > 0 ? $"from 0 to {vocabularySize - 1}" : "of 0 or more";
        return ApiError.BadRequest($"'logit_bias' names the token '{bias.Name}': it must be a token id {range}.", "logit_bias", FieldRules.InvalidValue);
    }

    private static ApiError? CheckLogprobs(JsonElement body, RequestKind kind)
    {
        const int MostAlternatives = 20;
        if (kind == RequestKind.Completion)
        {
            return FieldRules.Integer(body, "logprobs", 0, MostAlternatives);
        }

        var fault = FieldRules.Flag(body, "logprobs") ?? FieldRules.Integer(body, "top_logprobs", 0, MostAlternatives);
        if (fault is not null || !FieldRules.Has(body, "top_logprobs", out var alternatives))
        {
            return fault;
        }

        var wanted = FieldRules.Has(body, "logprobs", out var logprobs) && logprobs.GetBoolean();
        return wanted || (FieldRules.TryWhole(alternatives, out var count) && count == 0)
            ? null
            : ApiError.BadRequest($"'top_logprobs' is {JsonText.Show(alternatives)} but 'logprobs' is not true: set it.", "top_logprobs", FieldRules.InvalidValue);
    }
}
