namespace ClusterLlm.ModelFiles;

/// <summary>The filters on lists and dictionaries.</summary>
internal static class TemplateListFilters
{
    private static readonly Dictionary<string, Func<object?, TemplateArguments, object?>> Filters = new(StringComparer.Ordinal)
    {
        ["list"] = (value, _) => TemplateOperators.Items(value).ToList(),
        ["first"] = (value, _) => TemplateOperators.Items(value) is [var first, ..] ? first : new Undefined("the first item"),
        ["last"] = (value, _) => TemplateOperators.Items(value) is [.., var last] ? last : new Undefined("the last item"),
        ["join"] = Join,
        ["reverse"] = (value, _) => value is string text
            ? string.Concat(TemplateOperators.Items(text).Reverse())
            : TemplateOperators.Items(value).Reverse().ToList(),
        ["sort"] = Sort,
        ["unique"] = Unique,
        ["map"] = Map,
        ["select"] = (value, arguments) => Choose(value, arguments, skip: 0, keep: true),
        ["reject"] = (value, arguments) => Choose(value, arguments, skip: 0, keep: false),
        ["selectattr"] = (value, arguments) => Choose(value, arguments, skip: 1, keep: true),
        ["rejectattr"] = (value, arguments) => Choose(value, arguments, skip: 1, keep: false),
        ["items"] = (value, _) => value is Undefined ? new List<object?>() : Pairs(value),
        ["dictsort"] = (value, _) => Pairs(value).OrderBy(pair => ((List<object?>)pair!)[0], Comparer<object?>.Create(CompareIgnoringCase)).ToList(),
        ["sum"] = Sum,
        ["min"] = (value, _) => TemplateOperators.Items(value) is { Count: > 0 } items
            ? items.Min(Comparer<object?>.Create(TemplateOperators.Compare))
            : new Undefined("the least item"),
        ["max"] = (value, _) => TemplateOperators.Items(value) is { Count: > 0 } items
            ? items.Max(Comparer<object?>.Create(TemplateOperators.Compare))
            : new Undefined("the greatest item"),
        ["attr"] = (value, arguments) => TemplateMembers.GetAttribute(value, PythonText.Str(arguments.Require(0, "name"))),
    };

    public static IReadOnlyCollection<string> Names => Filters.Keys;

    public static Func<object?, TemplateArguments, object?>? Find(string name) => Filters.GetValueOrDefault(name);

    private static string Join(object? value, TemplateArguments arguments)
    {
        var items = TemplateOperators.Items(value);
        if (arguments.Get(1, "attribute", null) is { } attribute)
        {
            items = [.. items.Select(item => Attribute(item, attribute))];
        }

        return TemplateTexts.Join(items, PythonText.Str(arguments.Get(0, "d", "")));
    }

    private static List<object?> Sort(object? value, TemplateArguments arguments)
    {
        var isCaseSensitive = TemplateOperators.IsTrue(arguments.Get(1, "case_sensitive", false));
        var attribute = arguments.Get(2, "attribute", null);
        var order = Comparer<object?>.Create(isCaseSensitive ? TemplateOperators.Compare : CompareIgnoringCase);
        var sorted = TemplateOperators.Items(value).OrderBy(item => attribute is null ? item : Attribute(item, attribute), order).ToList();
        if (TemplateOperators.IsTrue(arguments.Get(0, "reverse", false)))
        {
            sorted.Reverse();
        }

        return sorted;
    }

    private static int CompareIgnoringCase(object? left, object? right) => left is string a && right is string b
        ? string.CompareOrdinal(a.ToLowerInvariant(), b.ToLowerInvariant())
        : TemplateOperators.Compare(left, right);

    private static List<object?> Unique(object? value, TemplateArguments arguments)
    {
        var isCaseSensitive = TemplateOperators.IsTrue(arguments.Get(0, "case_sensitive", false));
        return [.. TemplateOperators.Items(value).DistinctBy(item => item is string text && !isCaseSensitive ? "s" + text.ToLowerInvariant() : PythonText.Repr(item))];
    }

    private static List<object?> Map(object? value, TemplateArguments arguments)
    {
        var items = TemplateOperators.Items(value);
        if (arguments.Named.TryGetValue("attribute", out var attribute))
        {
            var missing = arguments.Named.GetValueOrDefault("default");
            return [.. items.Select(item => Attribute(item, attribute) is var found && found is Undefined && missing is not null ? missing : found)];
        }

        var filter = PythonText.Str(arguments.Require(0, "filter"));
        TemplateArguments rest = new([.. arguments.Positional.Skip(1)], arguments.Named);
        return [.. items.Select(item => TemplateFilters.Apply(filter, item, rest))];
    }

    /// <summary>Keeps or drops the items for which a test holds; without a test, those that are true.</summary>
    /// <param name="skip">Arguments before the test: 1 when the first one names an attribute.</param>
    private static List<object?> Choose(object? value, TemplateArguments arguments, int skip, bool keep)
    {
        var test = arguments.Get(skip, "", null) is { } name ? PythonText.Str(name) : null;
        TemplateArguments rest = new([.. arguments.Positional.Skip(skip + 1)], arguments.Named);
        return [.. TemplateOperators.Items(value).Where(item =>
        {
            var tested = skip == 0 ? item : Attribute(item, arguments.Require(0, "attribute"));
            return (test is null ? TemplateOperators.IsTrue(tested) : TemplateChecks.Apply(test, tested, rest)) == keep;
        })];
    }

    /// <summary>An attribute by name; <c>a.b</c> goes through both.</summary>
    private static object? Attribute(object? item, object? name) =>
        name is string path
            ? path.Split('.').Aggregate(item, (value, part) => long.TryParse(part, out var index) ? TemplateMembers.GetItem(value, index) : TemplateMembers.GetItem(value, part))
            : TemplateMembers.GetItem(item, name);

    private static List<object?> Pairs(object? value) => value is TemplateMap map
        ? [.. map.Select(entry => (object?)new TemplateTuple([entry.Key, entry.Value]))]
        : throw new TemplateProblemException($"{TemplateOperators.TypeName(value)} is no dictionary");

    private static object? Sum(object? value, TemplateArguments arguments)
    {
        var attribute = arguments.Get(0, "attribute", null);
        return TemplateOperators.Items(value).Aggregate(
            arguments.Get(1, "start", 0L), (sum, item) => TemplateOperators.Arithmetic("+", sum, attribute is null ? item : Attribute(item, attribute)));
    }
}
