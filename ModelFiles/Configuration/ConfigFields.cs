using System.Text.Json;

namespace ClusterLlm.ModelFiles;

/// <summary>
/// Typed access to the fields of a config file. Looks in the objects in the given order, so that a nested <c>text_config</c> wins over
/// the object around it; JSON <c>null</c> counts as missing, as it does for transformers.
/// </summary>
internal sealed class ConfigFields(string path, params JsonElement[] objects)
{
    public string Path => path;

    public JsonElement? Find(string name)
    {
        foreach (JsonElement element in objects)
        {
            if (element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null)
            {
                return value;
            }
        }

        return null;
    }

    public int RequireInt32(string name, int min, int max) =>
        Int32(name, min, max) ?? throw new ModelFileException(path, name, $"is missing; a whole number from {min} to {max} is needed");

    public int? Int32(string name, int min, int max)
    {
        JsonElement? value = Find(name);
        return value is null ? null : ToInt32(value.Value, name, min, max);
    }

    public int ToInt32(JsonElement value, string name, int min, int max)
    {
        // Some writers have 2048.0 for a whole number.
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number)
            && number >= min && number <= max && Math.Floor(number) == number)
        {
            return (int)number;
        }

        throw Wrong(name, value, $"a whole number from {min} to {max}");
    }

    public double? Double(string name, double min, double max)
    {
        JsonElement? value = Find(name);
        if (value is null)
        {
            return null;
        }

        return value.Value.ValueKind == JsonValueKind.Number && value.Value.TryGetDouble(out var number) && number >= min && number <= max
            ? number
            : throw Wrong(name, value.Value, $"a number from {min} to {max}");
    }

    public bool? Boolean(string name)
    {
        JsonElement? value = Find(name);
        return value?.ValueKind switch
        {
            null => null,
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Wrong(name, value.Value, "true or false"),
        };
    }

    public string? Text(string name)
    {
        JsonElement? value = Find(name);
        return value switch
        {
            null => null,
            { ValueKind: JsonValueKind.String } => JsonText.Value(value.Value, path, name),
            _ => throw Wrong(name, value.Value, "a text"),
        };
    }

    public JsonElement? Object(string name)
    {
        JsonElement? value = Find(name);
        return value is null or { ValueKind: JsonValueKind.Object } ? value : throw Wrong(name, value.Value, "an object");
    }

    /// <summary>A token id or a list of them; empty when missing.</summary>
    public IEnumerable<int> TokenIds(string name)
    {
        JsonElement? value = Find(name);
        return value?.ValueKind switch
        {
            null => [],
            JsonValueKind.Array => [.. value.Value.EnumerateArray().Select((id, i) => ToInt32(id, $"{name}[{i}]", 0, int.MaxValue))],
            _ => [ToInt32(value.Value, name, 0, int.MaxValue)],
        };
    }

    public ModelFileException Wrong(string name, JsonElement value, string expected) =>
        new(path, name, $"is {ModelFileReader.Describe(value)}; {expected} is expected");
}
