using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace ClusterLlm.ModelFiles;

/// <summary>Values as text, as Python's <c>str</c>, <c>repr</c> and <c>json.dumps</c> write them: what models were trained on.</summary>
internal static class PythonText
{
    /// <summary>What <c>{{ value }}</c> prints.</summary>
    public static string Str(object? value) => value switch
    {
        string text => text,
        Undefined => "",
        _ => Repr(value),
    };

    public static string Repr(object? value)
    {
        StringBuilder text = new();
        AppendRepr(value, text);
        return text.ToString();
    }

    /// <summary>The shortest decimal that reads back as the same number, with Python's bounds for the exponent form.</summary>
    public static string Number(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }

        var size = Math.Abs(value);
        if (size == 0 || size is >= 1e-4 and < 1e16)
        {
            var digits = value.ToString("R", CultureInfo.InvariantCulture);
            var plain = digits.Contains('E', StringComparison.Ordinal) ? ((decimal)value).ToString(CultureInfo.InvariantCulture) : digits;
            return plain.Contains('.', StringComparison.Ordinal) ? plain : plain + ".0";
        }

        // 1E+16 and 1.5E-05 are 1e+16 and 1.5e-05 in Python.
        return value.ToString("R", CultureInfo.InvariantCulture).Replace('E', 'e');
    }

    private static void AppendRepr(object? value, StringBuilder text)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        TemplateLimits.CheckLength(text.Length);
        switch (value)
        {
            case null:
                text.Append("None");
                break;
            case bool flag:
                text.Append(flag ? "True" : "False");
                break;
            case long number:
                text.Append(CultureInfo.InvariantCulture, $"{number}");
                break;
            case double number:
                text.Append(Number(number));
                break;
            case string content:
                AppendQuoted(content, text);
                break;
            case List<object?> list:
                text.Append(list is TemplateTuple ? '(' : '[');
                AppendJoined(list, text, item => AppendRepr(item, text));
                text.Append(list is TemplateTuple ? list.Count == 1 ? ",)" : ")" : "]");
                break;
            case TemplateMap map:
                text.Append('{');
                AppendJoined(map, text, entry =>
                {
                    AppendQuoted(entry.Key, text);
                    text.Append(": ");
                    AppendRepr(entry.Value, text);
                });
                text.Append('}');
                break;
            case Undefined:
                text.Append("Undefined");
                break;
            default:
                text.Append(CultureInfo.InvariantCulture, $"<{TemplateOperators.TypeName(value)}>");
                break;
        }
    }

    private static void AppendJoined<T>(IEnumerable<T> items, StringBuilder text, Action<T> append)
    {
        var isFirst = true;
        foreach (var item in items)
        {
            if (!isFirst)
            {
                text.Append(", ");
            }

            isFirst = false;
            append(item);
        }
    }

    private static void AppendQuoted(string content, StringBuilder text)
    {
        var quote = content.Contains('\'', StringComparison.Ordinal) && !content.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        text.Append(quote);
        foreach (var character in content)
        {
            _ = character switch
            {
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                '\\' => text.Append("\\\\"),
                _ when character == quote => text.Append('\\').Append(character),
                < ' ' or '\u007F' => text.Append(CultureInfo.InvariantCulture, $"\\x{(int)character:x2}"),
                _ => text.Append(character),
            };
        }

        text.Append(quote);
    }
}
