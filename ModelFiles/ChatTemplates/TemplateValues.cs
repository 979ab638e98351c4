using System.Text.Json;

namespace ClusterLlm.ModelFiles;

// A value of a template is null (None), bool, long, double, string, List<object?>, TemplateMap, Undefined, or an ITemplateObject.

/// <summary>A dictionary that keeps the order of its keys.</summary>
internal sealed class TemplateMap : OrderedDictionary<string, object?>;

/// <summary>A list that prints in parentheses.</summary>
internal sealed class TemplateTuple(IEnumerable<object?> items) : List<object?>(items);

/// <summary>What a name or attribute is that does not exist: empty as text, false, and an error when something is asked of it.</summary>
internal sealed record Undefined(string Name);

/// <summary>A value with attributes of its own.</summary>
internal interface ITemplateObject
{
    /// <summary>The attribute; <see cref="Undefined"/> when there is none.</summary>
    object? Get(string name);
}

/// <summary><c>namespace(…)</c>: the one value whose attributes a template may set from within a loop.</summary>
internal sealed class TemplateNamespace(TemplateMap values) : ITemplateObject
{
    public object? Get(string name) => values.TryGetValue(name, out var value) ? value : new Undefined(name);

    public void Set(string name, object? value) => values[name] = value;
}

/// <summary>The arguments of a call, a filter or a test.</summary>
internal sealed record TemplateArguments(IReadOnlyList<object?> Positional, IReadOnlyDictionary<string, object?> Named)
{
    public static TemplateArguments None { get; } = new([], new Dictionary<string, object?>());

    /// <summary>The argument at a position or of a name.</summary>
    public bool TryGet(int index, string name, out object? value)
    {
        if (index < Positional.Count)
        {
            value = Positional[index];
            return true;
        }

        return Named.TryGetValue(name, out value);
    }

    public TemplateArguments With(string name, object? value) => new(Positional, new Dictionary<string, object?>(Named) { [name] = value });

    public object? Get(int index, string name, object? missing) => TryGet(index, name, out var value) ? value : missing;

    public object? Require(int index, string name) =>
        TryGet(index, name, out var value) ? value : throw new TemplateProblemException($"the argument '{name}' is missing");
}

/// <summary>Something that can be called.</summary>
internal sealed record TemplateFunction(string Name, Func<TemplateArguments, object?> Call);

/// <summary>A problem whose line the caller knows and adds.</summary>
internal sealed class TemplateProblemException(string message) : Exception(message);

/// <summary>JSON to values.</summary>
internal static class TemplateValue
{
    public static object? From(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => FromObject(json),
        JsonValueKind.Array => json.EnumerateArray().Select(From).ToList(),
        JsonValueKind.String => json.GetString(),
        JsonValueKind.Number => json.TryGetInt64(out var number) && !json.GetRawText().AsSpan().ContainsAny('.', 'e', 'E') ? (object)number : json.GetDouble(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    private static TemplateMap FromObject(JsonElement json)
    {
        TemplateMap map = [];
        foreach (var entry in json.EnumerateObject())
        {
            map[entry.Name] = From(entry.Value);
        }

        return map;
    }
}
