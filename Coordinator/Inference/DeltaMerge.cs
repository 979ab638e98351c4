using System.Text;
using System.Text.Json.Nodes;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>
/// Merges the deltas of one choice into its message. Texts grow (<c>content</c>, <c>reasoning_content</c>, and any member that is not known); <c>role</c>
/// and the other names are set once; tool calls are merged by their <c>index</c>.
/// </summary>
internal sealed class DeltaMerge
{
    private readonly Dictionary<string, StringBuilder> _texts = [];
    private readonly SortedDictionary<int, JsonObject> _toolCalls = [];
    private readonly Dictionary<int, StringBuilder> _arguments = [];
    private readonly JsonObject _others = [];
    private string _role = "assistant";

    public void Add(JsonObject delta)
    {
        foreach (var (name, value) in delta)
        {
            switch (name, value)
            {
                case (_, null):
                    break;
                case ("role", JsonValue role) when role.TryGetValue(out string? text):
                    _role = text;
                    break;
                case ("tool_calls", JsonArray calls):
                    AddToolCalls(calls);
                    break;
                case (_, JsonValue other) when other.TryGetValue(out string? text):
                    TextOf(name).Append(text);
                    break;
                default:
                    Append(_others, new JsonObject { [name] = value.DeepClone() });
                    break;
            }
        }
    }

    /// <summary>The message: <c>content</c> is <c>null</c> when only tools were called, as OpenAI does it.</summary>
    public JsonObject ToMessage()
    {
        var message = new JsonObject { ["role"] = _role };
        message["content"] = _texts.TryGetValue("content", out var content) && (content.Length > 0 || _toolCalls.Count == 0)
            ? content.ToString()
            : _toolCalls.Count == 0 ? "" : null;
        foreach (var (name, text) in _texts.Where(text => text.Key != "content"))
        {
            message[name] = text.ToString();
        }

        foreach (var (name, value) in _others)
        {
            message[name] = value?.DeepClone();
        }

        if (_toolCalls.Count > 0)
        {
            message["tool_calls"] = new JsonArray([.. _toolCalls.Select(call => ToToolCall(call.Key, call.Value))]);
        }

        return message;
    }

    /// <summary>Adds the members of <paramref name="part"/>: lists are joined, objects merged, other values replaced.</summary>
    public static void Append(JsonObject whole, JsonObject part)
    {
        foreach (var (name, value) in part)
        {
            switch (whole[name], value)
            {
                case (JsonArray list, JsonArray more):
                    foreach (var item in more)
                    {
                        list.Add(item?.DeepClone());
                    }

                    break;
                case (JsonObject inner, JsonObject more):
                    Append(inner, more);
                    break;
                case (not null, null):
                    break;
                default:
                    whole[name] = value?.DeepClone();
                    break;
            }
        }
    }

    private void AddToolCalls(JsonArray calls)
    {
        for (var position = 0; position < calls.Count; position++)
        {
            if (calls[position] is not JsonObject part)
            {
                continue;
            }

            // An engine that sends whole calls may leave the index out.
            var index = part["index"] is JsonValue number && number.TryGetValue(out int value) ? value : position;
            if (!_toolCalls.TryGetValue(index, out var call))
            {
                _toolCalls[index] = call = [];
                _arguments[index] = new();
            }

            AddToolCall(call, _arguments[index], part);
        }
    }

    /// <summary>Arguments grow; everything else is given once, and repeated by some engines, so the first value stays.</summary>
    private static void AddToolCall(JsonObject call, StringBuilder arguments, JsonObject part)
    {
        foreach (var (name, value) in part.Where(member => member.Key is not ("index" or "function") && member.Value is not null))
        {
            call[name] ??= value!.DeepClone();
        }

        if (part["function"] is not JsonObject function)
        {
            return;
        }

        var known = call["function"] as JsonObject;
        if (known is null)
        {
            call["function"] = known = [];
        }

        foreach (var (name, value) in function.Where(member => member.Value is not null))
        {
            if (name == "arguments")
            {
                // An object instead of a string holding JSON makes clients fail: a wrapped engine that sends one is put right here.
                arguments.Append(value is JsonValue text && text.TryGetValue(out string? piece) ? piece : value!.ToJsonString());
            }
            else
            {
                known[name] ??= value!.DeepClone();
            }
        }
    }

    private JsonObject ToToolCall(int index, JsonObject call)
    {
        var built = (JsonObject)call.DeepClone();
        if (built["function"] is JsonObject function)
        {
            function["arguments"] = _arguments[index].ToString();
        }

        return built;
    }

    private StringBuilder TextOf(string name)
    {
        if (!_texts.TryGetValue(name, out var text))
        {
            _texts[name] = text = new();
        }

        return text;
    }
}
