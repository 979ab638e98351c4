using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClusterLlm.NodeAgent.Engines.Builtin.OpenAi;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Requests;

/// <summary>
/// Turns OpenAI's body into mlx_lm's; reads it with the builtin engine's rules, so that both refuse the same. Only fields that are known to be harmless
/// are passed on: several others load other models from any path, end the batch of all other clients, or write outside of memory.
/// </summary>
internal static class RequestTranslator
{
    private const int MostChoices = 128;

    /// <exception cref="GenerationException">400: a field can't be used.</exception>
    public static ServerRequest Translate(GenerationRequest request, RequestLimits limits)
    {
        using var document = Parse(request.Body);
        var fields = new RequestFields(document.RootElement);
        UnsupportedFields.Check(fields);
        var isChat = request.Kind == RequestKind.ChatCompletion;
        var body = ServerFields.Read(fields, request.Kind, limits);
        ImmutableArray<JsonNode> prompts = isChat ? [ChatMessages.Read(fields)] : Prompts.Read(fields, limits.VocabularySize);
        var logprobs = AddLogprobs(body, fields, request.Kind);
        if (isChat)
        {
            AddTools(body, fields);
        }

        var asIds = fields.Boolean("return_tokens_as_token_ids") == true;
        return new ServerRequest(request.Kind, logprobs, asIds, Bodies(isChat, prompts, body, Choices(fields, prompts.Length), fields.Long("seed")));
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> body)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(body);
        }
        catch (JsonException error)
        {
            throw new GenerationException(400, $"The body is not valid JSON: {error.Message}", code: "invalid_json", inner: error);
        }

        if (document.RootElement.ValueKind == JsonValueKind.Object)
        {
            return document;
        }

        document.Dispose();
        throw new GenerationException(400, "The body must be a JSON object.", code: "invalid_json");
    }

    private static int Choices(RequestFields fields, int prompts)
    {
        var each = fields.Integer("n", 1, MostChoices) ?? 1;
        var best = fields.Integer("best_of", 1, MostChoices) ?? each;
        if (best != each)
        {
            throw UnsupportedFields.Refuse("best_of", best.ToString(CultureInfo.InvariantCulture));
        }

        return each * prompts <= MostChoices
            ? each
            : throw new GenerationException(400, $"'n' times the number of prompts is {each * prompts}: at most {MostChoices} answers are given.", "n", "invalid_value");
    }

    private static bool AddLogprobs(JsonObject body, RequestFields fields, RequestKind kind)
    {
        const int MostAlternatives = 20;
        var top = fields.Integer(kind == RequestKind.Completion ? "logprobs" : "top_logprobs", 0, MostAlternatives);
        var wanted = kind == RequestKind.Completion ? top is not null : fields.Boolean("logprobs") == true;
        if (!wanted && top is > 0)
        {
            throw new GenerationException(400, "'top_logprobs' needs 'logprobs': true.", "top_logprobs", "invalid_value");
        }

        body["logprobs"] = wanted;
        if (top is > 0)
        {
            body["top_logprobs"] = top;
        }

        return wanted;
    }

    private static void AddTools(JsonObject body, RequestFields fields)
    {
        if (fields.Find("chat_template_kwargs") is { } template)
        {
            body["chat_template_kwargs"] = template.ValueKind == JsonValueKind.Object ? JsonObject.Create(template) : throw fields.Invalid("chat_template_kwargs", template, "an object");
        }

        if (fields.Find("tools") is not { } tools)
        {
            return;
        }

        if (tools.ValueKind != JsonValueKind.Array || tools.EnumerateArray().Any(tool => tool.ValueKind != JsonValueKind.Object))
        {
            throw fields.Invalid("tools", tools, "an array of tools");
        }

        var isNone = fields.Find("tool_choice") is { ValueKind: JsonValueKind.String } choice && choice.ValueEquals("none");
        if (!isNone && tools.GetArrayLength() > 0)
        {
            body["tools"] = JsonArray.Create(tools);
        }
    }

    private static ImmutableArray<ServerBody> Bodies(bool isChat, ImmutableArray<JsonNode> prompts, JsonObject common, int choices, long? seed)
    {
        var bodies = ImmutableArray.CreateBuilder<ServerBody>(prompts.Length * choices);
        foreach (var prompt in prompts)
        {
            for (var choice = 0; choice < choices; choice++)
            {
                var body = common.DeepClone().AsObject();
                body[isChat ? "messages" : "prompt"] = prompt.DeepClone();
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
