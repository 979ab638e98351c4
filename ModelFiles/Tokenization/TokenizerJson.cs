using System.Text.Json;
using System.Text.RegularExpressions;

namespace ClusterLlm.ModelFiles;

/// <summary>Access to the parts of a tokenizer.json with errors that name the part.</summary>
internal sealed class TokenizerJson(string path)
{
    // A pattern from a file must not be able to keep a request busy for long.
    private static readonly TimeSpan PatternTimeout = TimeSpan.FromSeconds(5);

    public string Path => path;

    public ModelFileException Wrong(string item, string problem, Exception? inner = null) => new(path, item, problem, inner);

    public static JsonElement? Find(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public string Text(JsonElement element, string name, string item) =>
        Find(element, name) is { ValueKind: JsonValueKind.String } value
            ? JsonText.Value(value, path, item)
            : throw Wrong($"{item}.{name}", $"is {ModelFileReader.Describe(Find(element, name) ?? default)}; a text is expected");

    public string? OptionalText(JsonElement element, string name, string item) =>
        Find(element, name) is null ? null : Text(element, name, item);

    public bool Boolean(JsonElement element, string name, string item, bool missing) => Find(element, name) switch
    {
        null => missing,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw Wrong($"{item}.{name}", $"is {ModelFileReader.Describe(value)}; true or false is expected"),
    };

    /// <summary>The elements of an array that may be missing.</summary>
    public IEnumerable<JsonElement> Items(JsonElement element, string name, string item) => Find(element, name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } value => value.EnumerateArray(),
        { } value => throw Wrong($"{item}.{name}", $"is {ModelFileReader.Describe(value)}; an array is expected"),
    };

    /// <summary>A token id: whole, not negative, and low enough for a table by id.</summary>
    public int TokenId(JsonElement? value, string item)
    {
        const int Max = 1 << 24;
        return value is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var id) && id is >= 0 and < Max
            ? id
            : throw Wrong(item, $"has the id {ModelFileReader.Describe(value ?? default)}; a whole number from 0 to {Max - 1} is expected");
    }

    /// <summary><c>{"Regex": …}</c> or <c>{"String": …}</c>.</summary>
    public Regex Pattern(JsonElement element, string item)
    {
        var pattern = Find(element, "pattern") ?? throw Wrong(item, "has no pattern");
        var isText = Find(pattern, "String") is not null;
        var source = isText ? Regex.Escape(Text(pattern, "String", item)) : Text(pattern, "Regex", item);
        return Compile(source, item);
    }

    public Regex Compile(string source, string item)
    {
        try
        {
            return new Regex(source, RegexOptions.CultureInvariant | RegexOptions.Compiled, PatternTimeout);
        }
        catch (ArgumentException exception)
        {
            throw Wrong(item, $"the pattern {source} can't be used: {exception.Message}", exception);
        }
    }
}
