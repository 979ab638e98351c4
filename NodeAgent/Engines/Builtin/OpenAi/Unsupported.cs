using System.Text.Json;

namespace ClusterLlm.NodeAgent.Engines.Builtin.OpenAi;

/// <summary>Refuses fields whose effect this engine can't give: silently ignoring them would answer another question.</summary>
internal static class Unsupported
{
    /// <exception cref="GenerationException">400, naming the field.</exception>
    public static void Check(RequestFields fields, RequestKind kind)
    {
        RequireOne(fields, "n");
        CheckResponseFormat(fields);
        if (kind == RequestKind.ChatCompletion)
        {
            CheckToolChoice(fields);
            return;
        }

        RequireOne(fields, "best_of");
        if (fields.Boolean("echo") == true)
        {
            throw Refuse("echo", "true");
        }

        if (fields.String("suffix") is { Length: > 0 })
        {
            throw Refuse("suffix", "a text");
        }
    }

    private static void RequireOne(RequestFields fields, string name)
    {
        if (fields.Integer(name, 1, 128) is > 1 and var value)
        {
            throw Refuse(name, value.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    private static void CheckResponseFormat(RequestFields fields)
    {
        if (fields.Find("response_format") is not { } format)
        {
            return;
        }

        var type = format.ValueKind == JsonValueKind.Object
            ? new RequestFields(format, "response_format.").String("type")
            : throw fields.Invalid("response_format", format, "an object with a type");
        if (type is not (null or "text"))
        {
            throw Refuse("response_format.type", $"'{type}'");
        }
    }

    private static void CheckToolChoice(RequestFields fields)
    {
        if (fields.Find("tools") is { } tools && tools.ValueKind != JsonValueKind.Array)
        {
            throw fields.Invalid("tools", tools, "an array of tools");
        }

        if (fields.Find("tool_choice") is { } choice && !(choice.ValueKind == JsonValueKind.String && choice.GetString() is "none" or "auto"))
        {
            throw Refuse("tool_choice", choice.GetRawText());
        }
    }

    private static GenerationException Refuse(string name, string value) =>
        new(400, $"'{name}' {value} is not supported by the builtin engine.", name, "unsupported_value");
}
