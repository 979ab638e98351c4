using System.Text.Json;
using ClusterLlm.NodeAgent.Engines.Builtin.OpenAi;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Requests;

/// <summary>Refuses fields whose effect mlx_lm can't give: silently ignoring them would answer another question.</summary>
internal static class UnsupportedFields
{
    /// <exception cref="GenerationException">400, naming the field.</exception>
    public static void Check(RequestFields fields)
    {
        if (fields.Find("response_format") is { } format)
        {
            var type = format.ValueKind == JsonValueKind.Object
                ? new RequestFields(format, "response_format.").String("type")
                : throw fields.Invalid("response_format", format, "an object with a type");
            if (type is not (null or "text"))
            {
                throw Refuse("response_format.type", $"'{type}'");
            }
        }

        if (fields.Find("tool_choice") is { } choice && !(choice.ValueKind == JsonValueKind.String && RequestFields.Text(choice, "tool_choice") is "none" or "auto"))
        {
            throw Refuse("tool_choice", choice.GetRawText());
        }

        if (fields.Boolean("echo") == true)
        {
            throw Refuse("echo", "true");
        }

        if (fields.String("suffix") is { Length: > 0 })
        {
            throw Refuse("suffix", "a text");
        }
    }

    public static GenerationException Refuse(string name, string value)
    {
        const int Shown = 60;
        return new GenerationException(400, $"'{name}' {(value.Length > Shown ? value[..Shown] + "…" : value)} is not supported by the mlx engine.", name, "unsupported_value");
    }
}
