using System.Globalization;
using System.Text;

namespace ClusterLlm.ModelFiles;

/// <summary>The parts of Python's text formatting that templates use.</summary>
internal static class PythonFormat
{
    /// <summary><c>"%s of %d" % values</c>: %s, %r, %d, %i, %f with an optional precision, %%.</summary>
    public static string Percent(string format, IReadOnlyList<object?> values)
    {
        StringBuilder text = new();
        var next = 0;
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                text.Append(format[i]);
                continue;
            }

            var end = i + 1;
            while (end < format.Length && (char.IsAsciiDigit(format[end]) || format[end] == '.'))
            {
                end++;
            }

            var kind = end < format.Length ? format[end] : throw new TemplateProblemException($"'{format}' ends within a format");
            text.Append(kind == '%' ? "%" : One(kind, format[(i + 1)..end], next < values.Count ? values[next++] : throw new TemplateProblemException($"'{format}' needs more values")));
            i = end;
        }

        return text.ToString();
    }

    /// <summary><c>"{} {0} {name}".format(…)</c> without format specifications.</summary>
    public static string Braces(string format, TemplateArguments arguments)
    {
        StringBuilder text = new();
        var next = 0;
        for (var i = 0; i < format.Length; i++)
        {
            var isDoubled = format[i] is '{' or '}' && i + 1 < format.Length && format[i + 1] == format[i];
            if (isDoubled || format[i] != '{')
            {
                text.Append(format[i]);
                i += isDoubled ? 1 : 0;
                continue;
            }

            var end = format.IndexOf('}', i);
            if (end < 0)
            {
                throw new TemplateProblemException($"'{format}' has a '{{' that is never closed");
            }

            var field = format[(i + 1)..end];
            var index = field.Length == 0 ? next++ : int.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : int.MaxValue;
            text.Append(PythonText.Str(arguments.Require(index, field)));
            TemplateLimits.CheckLength(text.Length);
            i = end;
        }

        return text.ToString();
    }

    private static string One(char kind, string precision, object? value) => kind switch
    {
        's' => PythonText.Str(value),
        'r' => PythonText.Repr(value),
        'd' or 'i' when TemplateOperators.ToNumber(value) is { } number => Math.Truncate(number).ToString("F0", CultureInfo.InvariantCulture),
        'f' when TemplateOperators.ToNumber(value) is { } number =>
            number.ToString("F" + (precision.StartsWith('.') && precision.Length is 2 ? precision[1..] : "6"), CultureInfo.InvariantCulture),
        _ => throw new TemplateProblemException($"the format %{precision}{kind} of a value of type {TemplateOperators.TypeName(value)} is not supported"),
    };
}
