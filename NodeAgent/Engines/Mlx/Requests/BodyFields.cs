using System.Globalization;
using System.Text.Json;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Requests;

/// <summary>Reads fields of a request body; a field of a wrong type or out of its range is a 400 that names it. <c>null</c> counts as absent.</summary>
internal static class BodyFields
{
    public static bool Has(JsonElement body, string name, out JsonElement value) =>
        body.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;

    public static double? Number(JsonElement body, string name, double least, double most)
    {
        if (!Has(body, name, out var value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= least && number <= most
            ? number
            : throw Bad(name, string.Create(CultureInfo.InvariantCulture, $"a number from {least} to {most}"), value);
    }

    public static long? Whole(JsonElement body, string name, long least, long most)
    {
        if (!Has(body, name, out var value))
        {
            return null;
        }

        return TryWhole(value, out var number) && number >= least && number <= most
            ? number
            : throw Bad(name, string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}"), value);
    }

    public static bool Flag(JsonElement body, string name) => Has(body, name, out var value) && value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Bad(name, "true or false", value),
    };

    /// <summary>Whole numbers also as <c>16.0</c>: some languages have no other.</summary>
    public static bool TryWhole(JsonElement value, out long number)
    {
        number = 0;
        if (value.ValueKind != JsonValueKind.Number)
        {
            return false;
        }

        if (value.TryGetInt64(out number))
        {
            return true;
        }

        const double ExactLimit = 9007199254740992;
        var whole = value.TryGetDouble(out var real) && Math.Abs(real) <= ExactLimit && real == Math.Truncate(real);
        number = whole ? (long)real : 0;
        return whole;
    }

    public static GenerationException Bad(string path, string must, JsonElement value) =>
        Bad(path, $"'{path}' must be {must}, but is {Show(value)}.");

    public static GenerationException Bad(string path, string message) => new(400, message, path, "invalid_value");

    private static string Show(JsonElement value)
    {
        const int Longest = 60;
        var text = value.ValueKind is JsonValueKind.Object ? "an object" : value.GetRawText();
        return text.Length > Longest ? string.Concat(text.AsSpan(0, Longest), "…") : text;
    }
}
