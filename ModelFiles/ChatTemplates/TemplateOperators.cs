using System.Globalization;
using System.Text;

namespace ClusterLlm.ModelFiles;

/// <summary>Python's operators on template values.</summary>
internal static class TemplateOperators
{
    public static string TypeName(object? value) => value switch
    {
        null => "None",
        bool => "bool",
        long => "int",
        double => "float",
        string => "str",
        List<object?> => "list",
        TemplateMap => "dict",
        Undefined => "undefined",
        TemplateNamespace => "namespace",
        TemplateFunction => "function",
        _ => "object",
    };

    public static bool IsTrue(object? value) => value switch
    {
        null or Undefined => false,
        bool flag => flag,
        long number => number != 0,
        double number => number != 0,
        string text => text.Length > 0,
        List<object?> list => list.Count > 0,
        TemplateMap map => map.Count > 0,
        _ => true,
    };

    public static object? Arithmetic(string symbol, object? left, object? right) => (symbol, left, right) switch
    {
        ("+", string a, string b) => Concat(a, b),
        ("+", List<object?> a, List<object?> b) => ConcatLists(a, b),
        ("*", string a, long n) => Repeat(a, n),
        ("*", List<object?> a, long n) => RepeatList(a, n),
        ("%", string format, _) => PythonFormat.Percent(format, right is List<object?> list ? list : [right]),
        _ when ToInteger(left) is { } a && ToInteger(right) is { } b => Integers(symbol, a, b),
        _ when ToNumber(left) is { } a && ToNumber(right) is { } b => Floats(symbol, a, b),
        (_, Undefined undefined, _) => throw new TemplateProblemException($"'{undefined.Name}' is undefined"),
        (_, _, Undefined undefined) => throw new TemplateProblemException($"'{undefined.Name}' is undefined"),
        _ => throw new TemplateProblemException($"'{symbol}' can't be applied to {TypeName(left)} and {TypeName(right)}"),
    };

    public static string Concat(string left, string right)
    {
        TemplateLimits.CheckLength((long)left.Length + right.Length);
        return left + right;
    }

    public new static bool Equals(object? left, object? right) => (left, right) switch
    {
        (string a, string b) => a == b,
        (List<object?> a, List<object?> b) => a.Count == b.Count && a.Zip(b).All(pair => Equals(pair.First, pair.Second)),
        (TemplateMap a, TemplateMap b) => a.Count == b.Count && a.All(entry => b.TryGetValue(entry.Key, out var value) && Equals(entry.Value, value)),
        (Undefined, Undefined) => true,
        _ when ToNumber(left) is { } a && ToNumber(right) is { } b => a == b,
        _ => object.ReferenceEquals(left, right),
    };

    /// <summary>Order of two numbers, texts or lists.</summary>
    public static int Compare(object? left, object? right) => (left, right) switch
    {
        (string a, string b) => string.CompareOrdinal(a, b),
        (List<object?> a, List<object?> b) => a.Zip(b).Select(pair => Compare(pair.First, pair.Second)).FirstOrDefault(order => order != 0, a.Count.CompareTo(b.Count)),
        _ when ToNumber(left) is { } a && ToNumber(right) is { } b => a.CompareTo(b),
        _ => throw new TemplateProblemException($"{TypeName(left)} and {TypeName(right)} can't be ordered"),
    };

    public static bool Contains(object? container, object? item) => container switch
    {
        string text => item is string part ? text.Contains(part, StringComparison.Ordinal) : throw new TemplateProblemException($"'in' a text needs a text, not {TypeName(item)}"),
        List<object?> list => list.Exists(element => Equals(element, item)),
        TemplateMap map => item is string key && map.ContainsKey(key),
        Undefined => false,
        _ => throw new TemplateProblemException($"'in' can't be applied to {TypeName(container)}"),
    };

    /// <summary>The items that a loop runs over: a dictionary's keys, a text's characters.</summary>
    public static IReadOnlyList<object?> Items(object? value) => value switch
    {
        List<object?> list => list,
        TemplateMap map => [.. map.Keys],
        string text => Characters(text),
        Undefined => [],
        _ => throw new TemplateProblemException($"{TypeName(value)} can't be looped over"),
    };

    private static List<object?> Characters(string text)
    {
        TemplateLimits.CheckCount(text.Length);
        return [.. text.EnumerateRunes().Select(rune => rune.ToString())];
    }

    public static double? ToNumber(object? value) => value switch
    {
        long number => number,
        double number => number,
        bool flag => flag ? 1 : 0,
        _ => null,
    };

    public static long? ToInteger(object? value) => value switch
    {
        long number => number,
        bool flag => flag ? 1 : 0,
        _ => null,
    };

    private static object Integers(string symbol, long a, long b)
    {
        try
        {
            return symbol switch
            {
                // Boxed one by one: the cases would all become floats otherwise.
                "+" => (object)checked(a + b),
                "-" => checked(a - b),
                "*" => checked(a * b),
                "/" when b != 0 => (double)a / b,
                "//" when b != 0 => FloorDivide(a, b),
                "%" when b != 0 => a - checked(FloorDivide(a, b) * b),
                "**" when b >= 0 && Math.Abs(Math.Pow(a, b)) < 9e15 => (long)Math.Round(Math.Pow(a, b)),
                "**" => Math.Pow(a, b),
                _ => throw new TemplateProblemException("division by zero"),
            };
        }
        catch (OverflowException)
        {
            throw new TemplateProblemException($"{a.ToString(CultureInfo.InvariantCulture)} {symbol} {b.ToString(CultureInfo.InvariantCulture)} is beyond 64 bits");
        }
    }

    private static long FloorDivide(long a, long b)
    {
        // The one quotient that does not fit: −2^63 by −1.
        var quotient = b == -1 ? checked(-a) : a / b;
        return quotient * b != a && (a < 0) != (b < 0) ? quotient - 1 : quotient;
    }

    private static double Floats(string symbol, double a, double b) => symbol switch
    {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" when b != 0 => a / b,
        "//" when b != 0 => Math.Floor(a / b),
        "%" when b != 0 => a - (Math.Floor(a / b) * b),
        "**" => Math.Pow(a, b),
        _ => throw new TemplateProblemException("division by zero"),
    };

    private static List<object?> ConcatLists(List<object?> left, List<object?> right)
    {
        TemplateLimits.CheckCount((long)left.Count + right.Count);
        return [.. left, .. right];
    }

    private static string Repeat(string text, long count)
    {
        var times = Math.Max(count, 0);
        TemplateLimits.CheckLength((long)Int128.Min((Int128)text.Length * times, long.MaxValue));
        return text.Length == 0 ? "" : new StringBuilder().Insert(0, text, (int)times).ToString();
    }

    private static List<object?> RepeatList(List<object?> list, long count)
    {
        var times = Math.Max(count, 0);
        TemplateLimits.CheckCount((long)Int128.Min((Int128)list.Count * times, long.MaxValue));
        return list.Count == 0 ? [] : [.. Enumerable.Range(0, (int)times).SelectMany(_ => list)];
    }
}
