using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ClusterLlm.NodeAgent.Engines.Builtin.OpenAi;

/// <summary>Checks the messages of a chat and brings them into the form that chat templates know: a role and one text.</summary>
internal static class ChatMessages
{
    private static readonly string[] Roles = ["system", "developer", "user", "assistant", "tool", "function"];

    /// <exception cref="GenerationException">A message is malformed, or holds what this engine can't read.</exception>
    public static JsonArray Read(RequestFields fields)
    {
        if (fields.Find("messages") is not { } json)
        {
            throw new GenerationException(400, "'messages' is missing.", "messages", "missing_required_parameter");
        }

        if (json.ValueKind != JsonValueKind.Array || json.GetArrayLength() == 0)
        {
            throw fields.Invalid("messages", json, "an array of at least one message");
        }

        var messages = new JsonArray();
        var index = 0;
        foreach (var message in json.EnumerateArray())
        {
            messages.Add(ReadMessage(message, $"messages[{index++}]"));
        }

        return messages;
    }

    private static JsonObject ReadMessage(JsonElement message, string path)
    {
        if (message.ValueKind != JsonValueKind.Object)
        {
            throw RequestFields.Invalid(path, message, "an object with role and content", "");
        }

        var fields = new RequestFields(message, path + ".");
        var role = fields.String("role")
            ?? throw new GenerationException(400, $"'{path}.role' is missing.", $"{path}.role", "missing_required_parameter");
        if (!Roles.Contains(role, StringComparer.Ordinal))
        {
            throw new GenerationException(
                400, $"'{path}.role' is '{role}', but must be one of {string.Join(", ", Roles)}.", $"{path}.role", "invalid_value");
        }

        JsonObject result = [];
        foreach (var property in message.EnumerateObject())
        {
            // What a template may look at besides (tool_calls, tool_call_id, name, reasoning_content) goes along as it is.
            result[property.Name] = JsonNode.Parse(property.Value.GetRawText());
        }

        result["role"] = role == "developer" ? "system" : role;
        result["content"] = ReadContent(fields, role, path);
        return result;
    }

    private static string? ReadContent(RequestFields fields, string role, string path)
    {
        if (fields.Find("content") is not { } content)
        {
            return role == "assistant" && fields.Find("tool_calls") is not null
                ? null
                : throw new GenerationException(400, $"'{path}.content' is missing.", $"{path}.content", "missing_required_parameter");
        }

        if (content.ValueKind != JsonValueKind.Array)
        {
            return content.ValueKind == JsonValueKind.String
                ? RequestFields.Text(content, $"{path}.content")
                : throw fields.Invalid("content", content, "a string or an array of content parts");
        }

        var text = new StringBuilder();
        var index = 0;
        foreach (var part in content.EnumerateArray())
        {
            text.Append(ReadPart(part, $"{path}.content[{index++}]"));
        }

        return text.ToString();
    }

    private static string ReadPart(JsonElement part, string path)
    {
        if (part.ValueKind != JsonValueKind.Object)
        {
            throw RequestFields.Invalid(path, part, "an object with a type", "");
        }

        var fields = new RequestFields(part, path + ".");
        var type = fields.String("type");
        return type is "text" or "input_text" or "output_text" or "refusal"
            ? fields.String(type == "refusal" ? "refusal" : "text") ?? ""
            : throw new GenerationException(
                400, $"'{path}.type' is '{type}', but this engine reads text only.", $"{path}.type", "unsupported_content");
    }
}
