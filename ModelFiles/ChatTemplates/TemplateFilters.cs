using System.Globalization;

namespace ClusterLlm.ModelFiles;

/// <summary>Jinja's filters: what may stand after <c>|</c>.</summary>
internal static class TemplateFilters
{
    private static readonly Dictionary<string, Func<object?, TemplateArguments, object?>> Filters = new(StringComparer.Ordinal)
    {
        ["trim"] = (value, arguments) => TemplateTexts.Strip(Text(value), arguments.Get(0, "chars", null), left: true, right: true),
        ["tojson"] = ToJson,
        ["length"] = (value, _) => Length(value),
        ["count"] = (value, _) => Length(value),
        ["upper"] = (value, _) => Text(value).ToUpperInvariant(),
        ["lower"] = (value, _) => Text(value).ToLowerInvariant(),
        ["title"] = (value, _) => TemplateTexts.Title(Text(value)),
        ["capitalize"] = (value, _) => TemplateTexts.Capitalize(Text(value)),
        ["replace"] = (value, arguments) => TemplateTexts.Replace(
            Text(value), Text(arguments.Require(0, "old")), Text(arguments.Require(1, "new")), TemplateOperators.ToInteger(arguments.Get(2, "count", null)) ?? -1),
        ["indent"] = Indent,
        ["string"] = (value, _) => Text(value),
        ["safe"] = (value, _) => value,
        ["escape"] = (value, _) => Escape(Text(value)),
        ["e"] = (value, _) => Escape(Text(value)),
        ["format"] = (value, arguments) => PythonFormat.Percent(Text(value), arguments.Positional),
        ["wordcount"] = (value, _) => (long)TemplateTexts.Split(Text(value), null, -1).Count,
        ["default"] = Default,
        ["d"] = Default,
        ["int"] = (value, arguments) => ToInteger(value, arguments.Get(0, "default", 0L)),
        ["float"] = (value, arguments) => ToFloat(value, arguments.Get(0, "default", 0.0)),
        ["abs"] = (value, _) => TemplateOperators.IsTrue(TemplateOperators.Compare(value, 0L) < 0) ? TemplateOperators.Arithmetic("-", 0L, value) : value,
        ["round"] = (value, arguments) => Round(value, arguments),
    };

    public static string Names => string.Join(", ", Filters.Keys.Concat(TemplateListFilters.Names).Order(StringComparer.Ordinal));

    public static bool IsKnown(string name) => Filters.ContainsKey(name) || TemplateListFilters.Names.Contains(name);

    public static object? Apply(string name, object? value, TemplateArguments arguments) =>
        Filters.TryGetValue(name, out var filter) ? filter(value, arguments)
        : TemplateListFilters.Find(name) is { } other ? other(value, arguments)
        : throw new TemplateProblemException($"the filter '{name}' is unknown; known are {Names}");

    private static string Text(object? value) => PythonText.Str(value);

    private static string ToJson(object? value, TemplateArguments arguments)
    {
        const int MaxIndent = 32;
        var indent = TemplateOperators.ToInteger(arguments.Get(1, "indent", null));
        if (indent is < 0 or > MaxIndent)
        {
            throw new TemplateProblemException($"tojson's indent is {indent}; 0 to {MaxIndent} is expected");
        }

        return TemplateJson.Write(value, new TemplateJsonStyle(
            (int?)indent,
            TemplateOperators.IsTrue(arguments.Get(3, "sort_keys", false)),
            TemplateOperators.IsTrue(arguments.Get(0, "ensure_ascii", false)),
            arguments.Get(2, "separators", null) is List<object?> { Count: 2 } separators ? (Text(separators[0]), Text(separators[1])) : null));
    }

    private static long Length(object? value) => value switch
    {
        string text => text.LongCount(character => !char.IsLowSurrogate(character)),
        List<object?> list => (long)list.Count,
        TemplateMap map => (long)map.Count,
        Undefined => 0L,
        _ => throw new TemplateProblemException($"{TemplateOperators.TypeName(value)} has no length"),
    };

    private static string Indent(object? value, TemplateArguments arguments)
    {
        const int MaxWidth = 1000;
        var indentation = arguments.Get(0, "width", 4L) switch
        {
            string text => text,
            long width and >= 0 and <= MaxWidth => new string(' ', (int)width),
            var other => throw new TemplateProblemException($"indent's width is {PythonText.Repr(other)}; 0 to {MaxWidth} or a text is expected"),
        };
        return TemplateTexts.Indent(
            Text(value), indentation, TemplateOperators.IsTrue(arguments.Get(1, "first", false)), TemplateOperators.IsTrue(arguments.Get(2, "blank", false)));
    }

    private static string Escape(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("\"", "&#34;", StringComparison.Ordinal)
        .Replace("'", "&#39;", StringComparison.Ordinal);

    private static object? Default(object? value, TemplateArguments arguments)
    {
        var isFalseToo = TemplateOperators.IsTrue(arguments.Get(1, "boolean", false));
        return value is Undefined || (isFalseToo && !TemplateOperators.IsTrue(value)) ? arguments.Get(0, "default_value", "") : value;
    }

    private static object? ToInteger(object? value, object? missing) => value switch
    {
        long or bool => TemplateOperators.ToInteger(value),
        double number when Math.Abs(number) < 9e18 => (long)number,
        string text when long.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
        string text when double.TryParse(text.Trim(), CultureInfo.InvariantCulture, out var number) && Math.Abs(number) < 9e18 => (long)number,
        _ => missing,
    };

    private static object? ToFloat(object? value, object? missing) => value switch
    {
        string text => double.TryParse(text.Trim(), CultureInfo.InvariantCulture, out var number) ? number : missing,
        _ => TemplateOperators.ToNumber(value) ?? missing,
    };

    private static double Round(object? value, TemplateArguments arguments)
    {
        var number = TemplateOperators.ToNumber(value) ?? throw new TemplateProblemException($"{TemplateOperators.TypeName(value)} can't be rounded");
        var digits = TemplateOperators.ToInteger(arguments.Get(0, "precision", 0L)) ?? 0;
        var scale = Math.Pow(10, Math.Clamp(digits, -15, 15));
        return PythonText.Str(arguments.Get(1, "method", "common")) switch
        {
            "common" => Math.Round(number * scale, MidpointRounding.ToEven) / scale,
            "ceil" => Math.Ceiling(number * scale) / scale,
            "floor" => Math.Floor(number * scale) / scale,
            var method => throw new TemplateProblemException($"round's method is '{method}'; common, ceil or floor is expected"),
        };
    }
}
