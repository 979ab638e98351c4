namespace ClusterLlm.ModelFiles;

/// <summary>Methods of texts, lists and dictionaries, as Python has them.</summary>
internal static class TemplateMethods
{
    /// <summary>The method bound to its value; null when the type has none of that name.</summary>
    public static TemplateFunction? Find(object? value, string name)
    {
        Func<TemplateArguments, object?>? call = value switch
        {
            string text => TextMethod(text, name),
            TemplateMap map => MapMethod(map, name),
            List<object?> list => ListMethod(list, name),
            _ => null,
        };
        return call is null ? null : new TemplateFunction(name, call);
    }

    private static Func<TemplateArguments, object?>? TextMethod(string text, string name) => name switch
    {
        "startswith" => arguments => Texts(arguments.Require(0, "prefix")).Any(prefix => text.StartsWith(prefix, StringComparison.Ordinal)),
        "endswith" => arguments => Texts(arguments.Require(0, "suffix")).Any(suffix => text.EndsWith(suffix, StringComparison.Ordinal)),
        "strip" => arguments => TemplateTexts.Strip(text, arguments.Get(0, "chars", null), left: true, right: true),
        "lstrip" => arguments => TemplateTexts.Strip(text, arguments.Get(0, "chars", null), left: true, right: false),
        "rstrip" => arguments => TemplateTexts.Strip(text, arguments.Get(0, "chars", null), left: false, right: true),
        "removeprefix" => arguments => Text(arguments.Require(0, "prefix")) is var prefix && text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : text,
        "removesuffix" => arguments => Text(arguments.Require(0, "suffix")) is var suffix && text.EndsWith(suffix, StringComparison.Ordinal) ? text[..^suffix.Length] : text,
        "split" => arguments => TemplateTexts.Split(text, arguments.Get(0, "sep", null), Integer(arguments.Get(1, "maxsplit", -1L))),
        "rsplit" => arguments => TemplateTexts.SplitRight(text, arguments.Get(0, "sep", null), Integer(arguments.Get(1, "maxsplit", -1L))),
        "splitlines" => _ => text.Length == 0 ? [] : (text.EndsWith('\n') ? text[..^1] : text).Split('\n').Select(line => (object?)line).ToList(),
        "replace" => arguments => TemplateTexts.Replace(
            text, Text(arguments.Require(0, "old")), Text(arguments.Require(1, "new")), Integer(arguments.Get(2, "count", -1L))),
        "upper" => _ => text.ToUpperInvariant(),
        "lower" => _ => text.ToLowerInvariant(),
        "title" => _ => TemplateTexts.Title(text),
        "capitalize" => _ => TemplateTexts.Capitalize(text),
        "join" => arguments => TemplateTexts.Join(TemplateOperators.Items(arguments.Require(0, "iterable")), text),
        "find" => arguments => (long)text.IndexOf(Text(arguments.Require(0, "sub")), StringComparison.Ordinal),
        "rfind" => arguments => (long)text.LastIndexOf(Text(arguments.Require(0, "sub")), StringComparison.Ordinal),
        "count" => arguments => Text(arguments.Require(0, "sub")) is { Length: > 0 } part ? text.Split(part).Length - 1L : text.Length + 1L,
        "isdigit" => _ => text.Length > 0 && text.All(char.IsDigit),
        "isalpha" => _ => text.Length > 0 && text.All(char.IsLetter),
        "isspace" => _ => text.Length > 0 && text.All(char.IsWhiteSpace),
        "isupper" => _ => text.Any(char.IsUpper) && !text.Any(char.IsLower),
        "islower" => _ => text.Any(char.IsLower) && !text.Any(char.IsUpper),
        "format" => arguments => PythonFormat.Braces(text, arguments),
        _ => null,
    };

    private static Func<TemplateArguments, object?>? MapMethod(TemplateMap map, string name) => name switch
    {
        "items" => _ => map.Select(entry => (object?)new TemplateTuple([entry.Key, entry.Value])).ToList(),
        "keys" => _ => map.Keys.Select(key => (object?)key).ToList(),
        "values" => _ => map.Values.ToList(),
        "get" => arguments => map.TryGetValue(PythonText.Str(arguments.Require(0, "key")), out var value) ? value : arguments.Get(1, "default", null),
        "copy" => _ => Copy(map),
        "update" => arguments => Update(map, arguments),
        "pop" => arguments => map.Remove(PythonText.Str(arguments.Require(0, "key")), out var value) ? value : arguments.Get(1, "default", null),
        _ => null,
    };

    private static Func<TemplateArguments, object?>? ListMethod(List<object?> list, string name) => name switch
    {
        "append" => arguments => Change(list, () => list.Add(arguments.Require(0, "object"))),
        "extend" => arguments => Change(list, () => list.AddRange([.. TemplateOperators.Items(arguments.Require(0, "iterable"))])),
        "insert" => arguments => Change(list, () => list.Insert((int)Math.Clamp(Integer(arguments.Require(0, "index")), 0, list.Count), arguments.Require(1, "object"))),
        "pop" => arguments => Pop(list, Integer(arguments.Get(0, "index", -1L))),
        "index" => arguments => list.FindIndex(item => TemplateOperators.Equals(item, arguments.Require(0, "value"))) is >= 0 and var index
            ? (long)index
            : throw new TemplateProblemException("the value is not in the list"),
        "count" => arguments => list.LongCount(item => TemplateOperators.Equals(item, arguments.Require(0, "value"))),
        "copy" => _ => new List<object?>(list),
        _ => null,
    };

    private static object? Change(List<object?> list, Action change)
    {
        change();
        TemplateLimits.CheckCount(list.Count);
        return null;
    }

    private static object? Pop(List<object?> list, long index)
    {
        var position = index < 0 ? index + list.Count : index;
        if (position < 0 || position >= list.Count)
        {
            throw new TemplateProblemException($"the list has no item at {index}");
        }

        var value = list[(int)position];
        list.RemoveAt((int)position);
        return value;
    }

    private static TemplateMap Copy(TemplateMap map)
    {
        TemplateMap copy = [];
        foreach (var (key, value) in map)
        {
            copy[key] = value;
        }

        return copy;
    }

    private static object? Update(TemplateMap map, TemplateArguments arguments)
    {
        foreach (var (key, value) in arguments.Get(0, "other", null) is TemplateMap other ? other : [])
        {
            map[key] = value;
        }

        foreach (var (key, value) in arguments.Named)
        {
            map[key] = value;
        }

        return null;
    }

    private static string Text(object? value) =>
        value as string ?? throw new TemplateProblemException($"a text is needed, not {TemplateOperators.TypeName(value)}");

    /// <summary>A text, or a list of alternatives.</summary>
    private static IEnumerable<string> Texts(object? value) => value is List<object?> list ? list.Select(Text) : [Text(value)];

    private static long Integer(object? value) =>
        TemplateOperators.ToInteger(value) ?? throw new TemplateProblemException($"a whole number is needed, not {TemplateOperators.TypeName(value)}");
}
