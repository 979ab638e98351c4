using System.Text.Json;

namespace ClusterLlm.NodeAgent.Engines.Builtin.OpenAi;

/// <summary>Typed access to the fields of a request. A field that is missing or null gives null; one of a wrong type or range is named in a 400.</summary>
/// <param name="path">What stands before the names in messages, for example <c>messages[0].</c>.</param>
internal readonly struct RequestFields(JsonElement json, string path = "")
{
    public JsonElement? Find(string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined) ? value : null;

    public double? Number(string name, double least, double most)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }

        // A number like 1e999 is valid JSON and comes out as infinity.
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) && number >= least && number <= most
            ? number
            : throw Invalid(name, value, $"a number from {Text(least)} to {Text(most)}");
    }

    public int? Integer(string name, int least, int most)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= least && number <= most
            ? number
            : throw Invalid(name, value, most == int.MaxValue ? $"a whole number, {least} or more" : $"a whole number from {least} to {most}");
    }

    public long? Long(string name)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number)
            ? number
            : throw Invalid(name, value, "a whole number of 64 bits");
    }

    public bool? Boolean(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw Invalid(name, value, "true or false"),
    };

    public string? String(string name) => Find(name) is { } value ? Text(value, path + name) : null;

    /// <exception cref="GenerationException">It is no string, or no valid Unicode.</exception>
    public static string Text(JsonElement value, string param)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            throw Invalid(param, value, "a string", "");
        }

        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException exception)
        {
            throw new GenerationException(400, $"'{param}' is not valid Unicode: it holds half a surrogate pair.", param, "invalid_value", exception);
        }
    }

    public GenerationException Invalid(string name, JsonElement value, string expected) => Invalid(name, value, expected, path);

    public static GenerationException Invalid(string name, JsonElement value, string expected, string path)
    {
        const int Shown = 60;
        var text = value.GetRawText();
        text = text.Length > Shown ? text[..Shown] + "…" : text;
        return new GenerationException(400, $"'{path}{name}' is {text}, but must be {expected}.", path + name, "invalid_value");
    }

    private static string Text(double value) => value.ToString("0.###", System.Globalization.CultureInfo.InvariantCulture);
}
