using System.Text.Encodings.Web;
using System.Text.Json;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>How JSON is read and written at the gateway.</summary>
internal static class JsonText
{
    /// <summary>Answers are <c>application/json</c> and never pasted into HTML, so only what JSON itself asks for is escaped.</summary>
    public static JavaScriptEncoder Encoder { get; } = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    /// <summary>Tool schemas nest; deeper than this is an attack or a mistake.</summary>
    public static JsonDocumentOptions ReadOptions { get; } = new() { MaxDepth = 128 };

    /// <summary>A value as it is shown in an error: at most 60 characters of its JSON.</summary>
    public static string Show(JsonElement value)
    {
        const int Longest = 60;
        var raw = value.GetRawText();
        return raw.Length <= Longest ? raw : string.Concat(raw.AsSpan(0, Longest), "…");
    }

    /// <summary>The text of a JSON string; <see langword="null"/> for other kinds and for a string with half a surrogate pair.</summary>
    public static string? TextOrNull(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            return null;
        }

        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            // The reader checks escapes only when the text is asked for; \ud800 alone is valid JSON but no text.
            return null;
        }
    }
}
