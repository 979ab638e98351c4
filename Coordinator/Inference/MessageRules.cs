using System.Collections.Frozen;
using System.Text.Json;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>Rules for the <c>messages</c> of a chat.</summary>
internal static class MessageRules
{
    private static readonly FrozenSet<string> Roles = FrozenSet.Create("system", "developer", "user", "assistant", "tool", "function");

    public static ApiError? Check(JsonElement body)
    {
        const string Expected = "a list of messages";
        if (!FieldRules.Has(body, "messages", out var messages))
        {
            return FieldRules.Absent("messages", Expected);
        }

        if (messages.ValueKind != JsonValueKind.Array)
        {
            return FieldRules.WrongType("messages", Expected, messages);
        }

        if (messages.GetArrayLength() == 0)
        {
            return ApiError.BadRequest("'messages' is empty: it must hold at least one message.", "messages", FieldRules.InvalidValue);
        }

        return messages.EnumerateArray()
            .Select((message, index) => CheckMessage(message, $"messages[{index}]"))
            .FirstOrDefault(fault => fault is not null);
    }

    private static ApiError? CheckMessage(JsonElement message, string path)
    {
        if (message.ValueKind != JsonValueKind.Object)
        {
            return FieldRules.WrongType(path, "an object", message);
        }

        if (FieldRules.RequiredText(message, "role", $"{path}.role") is { } fault)
        {
            return fault;
        }

        var role = message.GetProperty("role").GetString()!;
        if (!Roles.Contains(role))
        {
            return FieldRules.OutOfRange($"{path}.role", message.GetProperty("role"), $"one of {string.Join(", ", Roles.Order(StringComparer.Ordinal))}");
        }

        return CheckContent(message, role, $"{path}.content")
            ?? FieldRules.Text(message, "name", $"{path}.name")
            ?? FieldRules.Text(message, "tool_call_id", $"{path}.tool_call_id")
            ?? CheckToolCalls(message, $"{path}.tool_calls");
    }

    /// <summary>Only an assistant may say nothing: its tool calls do.</summary>
    private static ApiError? CheckContent(JsonElement message, string role, string path)
    {
        const string Expected = "a string or a list of parts";
        if (!FieldRules.Has(message, "content", out var content))
        {
            return role is "assistant" or "function" ? null : FieldRules.Absent(path, Expected);
        }

        return content.ValueKind switch
        {
            JsonValueKind.String => JsonText.TextOrNull(content) is null ? FieldRules.WrongType(path, Expected, content) : null,
            JsonValueKind.Array => content.EnumerateArray()
                .Select((part, index) => CheckPart(part, $"{path}[{index}]"))
                .FirstOrDefault(fault => fault is not null),
            _ => FieldRules.WrongType(path, Expected, content),
        };
    }

    private static ApiError? CheckPart(JsonElement part, string path)
    {
        if (part.ValueKind != JsonValueKind.Object)
        {
            return FieldRules.WrongType(path, "an object with a type", part);
        }

        if (FieldRules.RequiredText(part, "type", $"{path}.type") is { } fault)
        {
            return fault;
        }

        if (part.GetProperty("type").GetString() != "text")
        {
            return null;
        }

        return FieldRules.Has(part, "text", out _) ? FieldRules.Text(part, "text", $"{path}.text") : FieldRules.Absent($"{path}.text", "a string");
    }

    private static ApiError? CheckToolCalls(JsonElement message, string path)
    {
        if (!FieldRules.Has(message, "tool_calls", out var calls))
        {
            return null;
        }

        return calls.ValueKind == JsonValueKind.Array
            ? calls.EnumerateArray().Select((call, index) => CheckToolCall(call, $"{path}[{index}]")).FirstOrDefault(fault => fault is not null)
            : FieldRules.WrongType(path, "a list of tool calls", calls);
    }

    private static ApiError? CheckToolCall(JsonElement call, string path)
    {
        if (call.ValueKind != JsonValueKind.Object)
        {
            return FieldRules.WrongType(path, "an object", call);
        }

        if (!FieldRules.Has(call, "function", out var function))
        {
            return null;
        }

        return function.ValueKind == JsonValueKind.Object
            ? FieldRules.RequiredText(function, "name", $"{path}.function.name") ?? FieldRules.Text(function, "arguments", $"{path}.function.arguments")
            : FieldRules.WrongType($"{path}.function", "an object", function);
    }
}
