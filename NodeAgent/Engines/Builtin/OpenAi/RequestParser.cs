using System.Collections.Frozen;
using System.Text.Json;
using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Builtin.Sequences;

namespace ClusterLlm.NodeAgent.Engines.Builtin.OpenAi;

/// <summary>What a parser needs of the model.</summary>
/// <param name="ContextTokens">The deployment's context, prompt and answer together.</param>
internal sealed record RequestModel(
    ModelTokenizer Tokenizer,
    IChatRenderer Chat,
    GenerationDefaults Defaults,
    FrozenSet<int> EndTokens,
    int VocabularySize,
    int ContextTokens);

/// <summary>From OpenAI's request bodies to tokens and settings. Fields that are not known are ignored.</summary>
internal sealed class RequestParser(RequestModel model)
{
    private const int MaxStops = 16;
    private const int MaxTopLogProbs = 20;
    private const int DefaultCompletionTokens = 16;

    /// <param name="seed">Used when the request names none.</param>
    /// <exception cref="GenerationException">400: the body is malformed, a field is wrong, or the prompt does not fit.</exception>
    public GenerationPlan Parse(GenerationRequest request, ulong seed)
    {
        using var document = ParseBody(request.Body);
        try
        {
            return Parse(request, new RequestFields(document.RootElement), seed);
        }
        catch (InvalidOperationException exception)
        {
            // What the JSON reader says of half a surrogate pair, wherever a text or name is first looked at.
            throw new GenerationException(400, "A text or name in the body is not valid Unicode.", code: "invalid_value", inner: exception);
        }
        catch (ModelFileException exception)
        {
            throw new GenerationException(400, $"The prompt can't be tokenized: {exception.Message}", code: "invalid_value", inner: exception);
        }
    }

    private GenerationPlan Parse(GenerationRequest request, RequestFields fields, ulong seed)
    {
        Unsupported.Check(fields, request.Kind);
        var sampling = SamplingReader.Read(fields, model.Defaults, model.VocabularySize, seed);
        var stops = ReadStops(fields);
        var top = ReadTopLogProbs(fields, request.Kind);
        var asked = ReadMaxTokens(fields, request.Kind);
        var ends = fields.Boolean("ignore_eos") == true ? FrozenSet<int>.Empty : model.EndTokens;
        var tokensAsIds = fields.Boolean("return_tokens_as_token_ids") == true;
        var (prompt, param) = request.Kind == RequestKind.ChatCompletion ? (ReadChat(fields), "messages") : (ReadPrompt(fields), "prompt");
        var room = CheckLength(prompt, param, asked);
        return new GenerationPlan(
            request.RequestId, request.Kind, new SequenceRequest(prompt, Math.Min(asked, room), ends, sampling, top), stops, tokensAsIds);
    }

    private static JsonDocument ParseBody(ReadOnlyMemory<byte> body)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(body);
        }
        catch (JsonException exception)
        {
            throw new GenerationException(400, $"The body is not valid JSON: {exception.Message}", code: "invalid_json", inner: exception);
        }

        if (document.RootElement.ValueKind == JsonValueKind.Object)
        {
            return document;
        }

        var kind = document.RootElement.ValueKind;
        document.Dispose();
        throw new GenerationException(400, $"The body must be a JSON object, but is {kind}.", code: "invalid_json");
    }

    private static string[] ReadStops(RequestFields fields)
    {
        if (fields.Find("stop") is not { } json)
        {
            return [];
        }

        string[] stops = json.ValueKind == JsonValueKind.Array
            ? [.. json.EnumerateArray().Select((stop, index) => RequestFields.Text(stop, $"stop[{index}]"))]
            : json.ValueKind == JsonValueKind.String ? [RequestFields.Text(json, "stop")]
            : throw fields.Invalid("stop", json, "a string or an array of strings");
        return stops.Length > MaxStops
            ? throw new GenerationException(400, $"'stop' has {stops.Length} entries; {MaxStops} are allowed.", "stop", "invalid_value")
            : [.. stops.Where(stop => stop.Length > 0)];
    }

    private static int? ReadTopLogProbs(RequestFields fields, RequestKind kind)
    {
        if (kind == RequestKind.Completion)
        {
            return fields.Integer("logprobs", 0, MaxTopLogProbs);
        }

        var top = fields.Integer("top_logprobs", 0, MaxTopLogProbs);
        if (fields.Boolean("logprobs") == true)
        {
            return top ?? 0;
        }

        return top is > 0
            ? throw new GenerationException(400, "'top_logprobs' needs 'logprobs': true.", "top_logprobs", "invalid_value")
            : null;
    }

    private int ReadMaxTokens(RequestFields fields, RequestKind kind)
    {
        var asked = fields.Integer("max_completion_tokens", 1, int.MaxValue) ?? fields.Integer("max_tokens", 1, int.MaxValue);
        return asked ?? model.Defaults.MaxNewTokens ?? (kind == RequestKind.Completion ? DefaultCompletionTokens : int.MaxValue);
    }

    private int[] ReadChat(RequestFields fields)
    {
        var text = model.Chat.Render(ChatMessages.Read(fields), fields.Find("tools"), fields.Find("chat_template_kwargs"));
        return [.. model.Tokenizer.Encode(text, addSpecialTokens: false)];
    }

    private int[] ReadPrompt(RequestFields fields)
    {
        if (fields.Find("prompt") is not { } json)
        {
            throw new GenerationException(400, "'prompt' is missing.", "prompt", "missing_required_parameter");
        }

        if (json.ValueKind == JsonValueKind.Array && json.GetArrayLength() > 0 && json[0].ValueKind != JsonValueKind.Number)
        {
            json = json.GetArrayLength() == 1
                ? json[0]
                : throw new GenerationException(
                    400, $"'prompt' has {json.GetArrayLength()} prompts; this engine takes one per request.", "prompt", "unsupported_value");
        }

        return json.ValueKind switch
        {
            JsonValueKind.String => [.. model.Tokenizer.Encode(RequestFields.Text(json, "prompt"), addSpecialTokens: true)],
            JsonValueKind.Array => [.. json.EnumerateArray().Select(ReadToken)],
            _ => throw fields.Invalid("prompt", json, "a string or an array of token ids"),
        };
    }

    private int ReadToken(JsonElement json, int index) =>
        json.ValueKind == JsonValueKind.Number && json.TryGetInt32(out var token) && token >= 0 && token < model.VocabularySize
            ? token
            : throw RequestFields.Invalid($"prompt[{index}]", json, $"a token id from 0 to {model.VocabularySize - 1}", "");

    /// <returns>Tokens that are left for the answer; ≥ 1.</returns>
    private int CheckLength(int[] prompt, string param, int asked)
    {
        if (prompt.Length == 0)
        {
            throw new GenerationException(400, $"'{param}' is empty: there is no token to continue.", param, "invalid_value");
        }

        return prompt.Length < model.ContextTokens
            ? model.ContextTokens - prompt.Length
            : throw new GenerationException(
                400,
                $"This deployment's context is {model.ContextTokens} tokens, but the prompt has {prompt.Length} tokens"
                + (asked == int.MaxValue ? "" : $" and {asked} were asked for")
                + "; at least one must be left for the answer.",
                param,
                "context_length_exceeded");
    }
}
