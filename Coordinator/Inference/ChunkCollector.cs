using System.Text.Json;
using System.Text.Json.Nodes;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>
/// Puts the chunks of a stream together to the choices of a whole answer. Members that it does not know are kept: of a delta by
/// <see cref="DeltaMerge"/>'s rules, of a choice or a chunk with their last value.
/// </summary>
internal sealed class ChunkCollector(RequestKind kind)
{
    private readonly SortedDictionary<int, Choice> _choices = [];
    private readonly JsonObject _others = [];

    /// <exception cref="JsonException">A member has a type that chunks don't have.</exception>
    public void Add(JsonObject chunk)
    {
        foreach (var (name, value) in chunk)
        {
            switch (name)
            {
                case "choices":
                    AddChoices(value as JsonArray ?? throw new JsonException("'choices' of a chunk is not a list."));
                    break;
                case "id" or "object" or "created" or "model" or "usage":
                    break;
                default:
                    _others[name] = value?.DeepClone();
                    break;
            }
        }
    }

    /// <summary>Writes <c>choices</c> and what else the chunks held.</summary>
    /// <param name="finishReason">For choices whose chunks gave none.</param>
    public void WriteMembers(Utf8JsonWriter json, string finishReason)
    {
        if (_choices.Count == 0)
        {
            // Clients read choices[0] without looking.
            _choices[0] = new Choice();
        }

        json.WriteStartArray("choices");
        foreach (var (index, choice) in _choices)
        {
            Build(index, choice, finishReason).WriteTo(json);
        }

        json.WriteEndArray();
        foreach (var (name, value) in _others)
        {
            json.WritePropertyName(name);
            Write(json, value);
        }
    }

    private void AddChoices(JsonArray choices)
    {
        foreach (var node in choices)
        {
            var part = node as JsonObject ?? throw new JsonException("An element of 'choices' is not an object.");
            var index = part["index"] is JsonValue number && number.TryGetValue(out int value) ? value : 0;
            if (!_choices.TryGetValue(index, out var choice))
            {
                _choices[index] = choice = new Choice();
            }

            choice.Add(part);
        }
    }

    private JsonObject Build(int index, Choice choice, string finishReason)
    {
        var built = new JsonObject { ["index"] = index };
        if (kind == RequestKind.ChatCompletion)
        {
            built["message"] = choice.Message.ToMessage();
        }
        else
        {
            built["text"] = choice.Text.ToString();
        }

        built["logprobs"] = choice.Logprobs;
        built["finish_reason"] = choice.FinishReason ?? finishReason;
        foreach (var (name, value) in choice.Others)
        {
            built[name] = value?.DeepClone();
        }

        return built;
    }

    private static void Write(Utf8JsonWriter json, JsonNode? value)
    {
        if (value is null)
        {
            json.WriteNullValue();
        }
        else
        {
            value.WriteTo(json);
        }
    }

    /// <summary>What came for one index so far.</summary>
    private sealed class Choice
    {
        public DeltaMerge Message { get; } = new();

        public System.Text.StringBuilder Text { get; } = new();

        public JsonObject? Logprobs { get; private set; }

        public string? FinishReason { get; private set; }

        public JsonObject Others { get; } = [];

        public void Add(JsonObject part)
        {
            foreach (var (name, value) in part)
            {
                switch (name, value)
                {
                    case ("index", _) or (_, null):
                        break;
                    case ("delta", JsonObject delta):
                        Message.Add(delta);
                        break;
                    case ("text", JsonValue text) when text.TryGetValue(out string? piece):
                        Text.Append(piece);
                        break;
                    case ("logprobs", JsonObject logprobs):
                        Logprobs ??= [];
                        DeltaMerge.Append(Logprobs, logprobs);
                        break;
                    case ("finish_reason", JsonValue reason) when reason.TryGetValue(out string? text):
                        FinishReason = text;
                        break;
                    default:
                        Others[name] = value.DeepClone();
                        break;
                }
            }
        }
    }
}
