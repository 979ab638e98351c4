namespace ClusterLlm.ModelFiles;

/// <summary>Attributes, keys and indices of values.</summary>
internal static class TemplateMembers
{
    public static object? GetAttribute(object? value, string name) => value switch
    {
        ITemplateObject thing => thing.Get(name),
        Undefined undefined => throw new TemplateProblemException($"'{undefined.Name}' is undefined, so it has no '{name}'"),
        _ => (object?)TemplateMethods.Find(value, name) ?? Key(value, name),
    };

    public static object? GetItem(object? value, object? key) => (value, key) switch
    {
        (Undefined undefined, _) => throw new TemplateProblemException($"'{undefined.Name}' is undefined, so it has no '{PythonText.Str(key)}'"),
        (TemplateMap map, _) => map.TryGetValue(PythonText.Str(key), out var found) ? found
            : key is string name ? (object?)TemplateMethods.Find(value, name) ?? new Undefined(name)
            : new Undefined(PythonText.Str(key)),
        (ITemplateObject thing, string name) => thing.Get(name),
        (List<object?> list, _) when TemplateOperators.ToInteger(key) is { } index => At(list, index),
        (string text, _) when TemplateOperators.ToInteger(key) is { } index => At(TemplateOperators.Items(text), index),
        (_, string name) => (object?)TemplateMethods.Find(value, name) ?? new Undefined(name),
        _ => new Undefined(PythonText.Str(key)),
    };

    private static object? Key(object? value, string name) =>
        value is TemplateMap map && map.TryGetValue(name, out var found) ? found : new Undefined(name);

    private static object? At(IReadOnlyList<object?> items, long index)
    {
        var position = index < 0 ? index + items.Count : index;
        return position >= 0 && position < items.Count ? items[(int)position] : new Undefined($"the item at {index}");
    }
}

/// <summary>Python's slices.</summary>
internal static class TemplateSlices
{
    public static object? Slice(object? value, long? start, long? stop, long? step)
    {
        if (step == 0)
        {
            throw new TemplateProblemException("a slice's step can't be 0");
        }

        var (items, isText) = value switch
        {
            string text => (TemplateOperators.Items(text), true),
            List<object?> list => (list, false),
            Undefined undefined => throw new TemplateProblemException($"'{undefined.Name}' is undefined"),
            _ => throw new TemplateProblemException($"{TemplateOperators.TypeName(value)} can't be sliced"),
        };
        var chosen = Choose(items, start, stop, step ?? 1);
        return isText ? string.Concat(chosen) : chosen;
    }

    private static List<object?> Choose(IReadOnlyList<object?> items, long? start, long? stop, long step)
    {
        var count = items.Count;
        var isForward = step > 0;
        var first = Clamp(start, count, isForward ? 0 : count - 1, isForward);
        var end = Clamp(stop, count, isForward ? count : -1, isForward);
        List<object?> chosen = [];

        // A step beyond the length ends the loop at once; without the bound it could overflow.
        var stride = Math.Clamp(step, -count - 1, count + 1);
        for (var i = first; isForward ? i < end : i > end; i += stride)
        {
            chosen.Add(items[(int)i]);
        }

        return chosen;
    }

    private static long Clamp(long? bound, int count, long missing, bool isForward)
    {
        if (bound is not { } value)
        {
            return missing;
        }

        var position = value < 0 ? value + count : value;
        return isForward ? Math.Clamp(position, 0, count) : Math.Clamp(position, -1, count - 1);
    }
}
