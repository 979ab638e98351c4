using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Requests;

/// <summary>The messages of a chat.</summary>
internal static class Messages
{
    private static readonly FrozenSet<string> Roles = FrozenSet.Create("system", "developer", "user", "assistant", "tool", "function");

    public static JsonNode Read(JsonElement body)
    {
        if (!BodyFields.Has(body, "messages", out var messages) || messages.ValueKind != JsonValueKind.Array || messages.GetArrayLength() == 0)
        {
            throw BodyFields.Bad("messages", "'messages' must be a list with at least one message.");
        }

        return new JsonArray([.. messages.EnumerateArray().Select(ReadMessage)]);
    }

    private static JsonObject ReadMessage(JsonElement message, int index)
    {
        var path = $"messages[{index}]";
        if (message.ValueKind != JsonValueKind.Object)
        {
            throw BodyFields.Bad(path, "an object", message);
        }

        var role = message.TryGetProperty("role", out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
        if (!Roles.Contains(role))
        {
            throw BodyFields.Bad($"{path}.role", $"'{path}.role' must be one of {string.Join(", ", Roles.Order(StringComparer.Ordinal))}.");
        }

        var result = JsonObject.Create(message)!;
        // Chat templates know no developer: it is OpenAI's newer word for system.
        result["role"] = role == "developer" ? "system" : role;
        result["content"] = Content(message, $"{path}.content");
        if (result["tool_calls"] is null)
        {
            result.Remove("tool_calls");
        }

        return result;
    }

    private static string Content(JsonElement message, string path)
    {
        if (!BodyFields.Has(message, "content", out var content))
        {
            return "";
        }

        return content.ValueKind switch
        {
            JsonValueKind.String => content.GetString()!,
            JsonValueKind.Array => string.Concat(content.EnumerateArray().Select((part, index) => Part(part, $"{path}[{index}]"))),
            _ => throw BodyFields.Bad(path, "a string or a list of text parts", content),
        };
    }

    private static string Part(JsonElement part, string path)
    {
        var isText = part.ValueKind == JsonValueKind.Object && part.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && type.ValueEquals("text");
        return isText && part.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()!
            : throw BodyFields.Bad(path, $"'{path}' must be a part of type text: the mlx engine takes nothing else.");
    }
}
