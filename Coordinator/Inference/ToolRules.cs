using System.Text.Json;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>Rules for tools and for the form of the answer. Schemas are left to the engine.</summary>
internal static class ToolRules
{
    public static ApiError? Check(JsonElement body) =>
        CheckTools(body) ?? CheckChoice(body) ?? FieldRules.Flag(body, "parallel_tool_calls") ?? CheckResponseFormat(body);

    private static ApiError? CheckTools(JsonElement body)
    {
        if (!FieldRules.Has(body, "tools", out var tools))
        {
            return null;
        }

        return tools.ValueKind == JsonValueKind.Array
            ? tools.EnumerateArray().Select((tool, index) => CheckTool(tool, $"tools[{index}]")).FirstOrDefault(fault => fault is not null)
            : FieldRules.WrongType("tools", "a list of tools", tools);
    }

    private static ApiError? CheckTool(JsonElement tool, string path)
    {
        if (tool.ValueKind != JsonValueKind.Object)
        {
            return FieldRules.WrongType(path, "an object", tool);
        }

        if (FieldRules.RequiredText(tool, "type", $"{path}.type") is { } fault)
        {
            return fault;
        }

        if (tool.GetProperty("type").GetString() != "function")
        {
            return null;
        }

        if (!FieldRules.Has(tool, "function", out var function))
        {
            return FieldRules.Absent($"{path}.function", "an object with a name");
        }

        return function.ValueKind == JsonValueKind.Object
            ? FieldRules.RequiredText(function, "name", $"{path}.function.name")
            : FieldRules.WrongType($"{path}.function", "an object with a name", function);
    }

    private static ApiError? CheckChoice(JsonElement body)
    {
        const string Expected = "none, auto, required, or an object that names a function";
        if (!FieldRules.Has(body, "tool_choice", out var choice) || choice.ValueKind == JsonValueKind.Object)
        {
            return null;
        }

        return JsonText.TextOrNull(choice) switch
        {
            null => FieldRules.WrongType("tool_choice", Expected, choice),
            "none" or "auto" or "required" => null,
            _ => FieldRules.OutOfRange("tool_choice", choice, Expected),
        };
    }

    private static ApiError? CheckResponseFormat(JsonElement body)
    {
        if (!FieldRules.Has(body, "response_format", out var format))
        {
            return null;
        }

        if (format.ValueKind != JsonValueKind.Object)
        {
            return FieldRules.WrongType("response_format", "an object with a type", format);
        }

        if (FieldRules.RequiredText(format, "type", "response_format.type") is { } fault)
        {
            return fault;
        }

        return format.GetProperty("type").GetString() == "json_schema" && !(FieldRules.Has(format, "json_schema", out var schema) && schema.ValueKind == JsonValueKind.Object)
            ? FieldRules.Absent("response_format.json_schema", "an object with a name and a schema")
            : null;
    }
}
