using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Requests;

/// <summary>
/// Turns OpenAI's body into mlx_lm's. Only fields that are known to be harmless are passed on: several others load other models from any path, end the
/// batch of all other clients, or write outside of memory.
/// </summary>
internal static class RequestTranslator
{
    private const int MostChoices = 128;

    /// <exception cref="GenerationException">400: a field can't be used.</exception>
    public static ServerRequest Translate(GenerationRequest request, RequestLimits limits)
    {
        using var document = Parse(request.Body);
        var body = document.RootElement;
        RefuseUnsupported(body);
        var prompts = request.Kind == RequestKind.ChatCompletion ? [Messages.Read(body)] : Prompts.Read(body, limits.VocabularySize);
        var common = SamplingFields.Read(body, limits);
        var logprobs = AddLogprobs(common, body, request.Kind);
        if (request.Kind == RequestKind.ChatCompletion)
        {
            AddTools(common, body);
        }

        var seed = BodyFields.Whole(body, "seed", long.MinValue, long.MaxValue);
        var asIds = BodyFields.Flag(body, "return_tokens_as_token_ids");
        return new ServerRequest(request.Kind, logprobs, asIds, Bodies(request.Kind, prompts, common, Choices(body, prompts.Length), seed));
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document
                : throw new GenerationException(400, "The body must be a JSON object.", code: "invalid_type");
        }
        catch (JsonException error)
        {
            throw new GenerationException(400, $"The body is no JSON: {error.Message}", code: "invalid_json", inner: error);
        }
    }

    private static void RefuseUnsupported(JsonElement body)
    {
        if (BodyFields.Has(body, "response_format", out var format)
            && !(format.ValueKind == JsonValueKind.Object && format.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && type.ValueEquals("text")))
        {
            throw BodyFields.Bad("response_format", "'response_format' other than {\"type\": \"text\"} is not supported by the mlx engine: ask for the format in a message.");
        }

        if (BodyFields.Flag(body, "echo"))
        {
            throw BodyFields.Bad("echo", "'echo' is not supported by the mlx engine: put the prompt before the answer yourself.");
        }

        if (BodyFields.Has(body, "suffix", out var suffix) && !(suffix.ValueKind == JsonValueKind.String && suffix.ValueEquals("")))
        {
            throw BodyFields.Bad("suffix", "'suffix' is not supported by the mlx engine: leave it out.");
        }
    }

    private static int Choices(JsonElement body, int prompts)
    {
        var each = (int)(BodyFields.Whole(body, "n", 1, MostChoices) ?? 1);
        var best = BodyFields.Whole(body, "best_of", 1, MostChoices) ?? each;
        if (best != each)
        {
            throw BodyFields.Bad("best_of", $"'best_of' is {best} and 'n' is {each}: the mlx engine can't choose between answers, leave 'best_of' out.");
        }

        return (long)each * prompts <= MostChoices ? each : throw BodyFields.Bad("n", $"'n' times the number of prompts is {(long)each * prompts}: at most {MostChoices} answers are given.");
    }

    private static bool AddLogprobs(JsonObject target, JsonElement body, RequestKind kind)
    {
        const int MostAlternatives = 20;
        bool wanted;
        long alternatives;
        if (kind == RequestKind.Completion)
        {
            var count = BodyFields.Whole(body, "logprobs", 0, MostAlternatives);
            (wanted, alternatives) = (count is not null, count ?? 0);
        }
        else
        {
            wanted = BodyFields.Flag(body, "logprobs");
            alternatives = BodyFields.Whole(body, "top_logprobs", 0, MostAlternatives) ?? 0;
            if (alternatives > 0 && !wanted)
            {
                throw BodyFields.Bad("top_logprobs", $"'top_logprobs' is {alternatives} but 'logprobs' is not true: set it.");
            }
        }

        target["logprobs"] = wanted;
        if (wanted && alternatives > 0)
        {
            target["top_logprobs"] = alternatives;
        }

        return wanted;
    }

    private static void AddTools(JsonObject target, JsonElement body)
    {
        if (BodyFields.Has(body, "chat_template_kwargs", out var template))
        {
            target["chat_template_kwargs"] = template.ValueKind == JsonValueKind.Object ? JsonObject.Create(template) : throw BodyFields.Bad("chat_template_kwargs", "an object", template);
        }

        if (!BodyFields.Has(body, "tools", out var tools))
        {
            return;
        }

        if (tools.ValueKind != JsonValueKind.Array || tools.EnumerateArray().Any(tool => tool.ValueKind != JsonValueKind.Object))
        {
            throw BodyFields.Bad("tools", "a list of objects", tools);
        }

        var isNone = BodyFields.Has(body, "tool_choice", out var choice) && choice.ValueKind == JsonValueKind.String && choice.ValueEquals("none");
        if (!isNone && tools.GetArrayLength() > 0)
        {
            target["tools"] = JsonArray.Create(tools);
        }
    }

    private static ImmutableArray<ServerBody> Bodies(RequestKind kind, ImmutableArray<JsonNode> prompts, JsonObject common, int choices, long? seed)
    {
        var bodies = ImmutableArray.CreateBuilder<ServerBody>(prompts.Length * choices);
        foreach (var prompt in prompts)
        {
            for (var choice = 0; choice < choices; choice++)
            {
                var body = common.DeepClone().AsObject();
                body[kind == RequestKind.ChatCompletion ? "messages" : "prompt"] = prompt.DeepClone();
                if (seed is { } value)
                {
                    // Each choice needs another seed, or all would be the same; negative ones are not taken.
                    body["seed"] = unchecked(value + choice) & long.MaxValue;
                }

                bodies.Add(new ServerBody(bodies.Count, choice == 0, JsonSerializer.SerializeToUtf8Bytes(body)));
            }
        }

        return bodies.MoveToImmutable();
    }
}
