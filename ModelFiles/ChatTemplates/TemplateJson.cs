using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace ClusterLlm.ModelFiles;

/// <summary>How <c>tojson</c> writes.</summary>
/// <param name="Separators">Between items and after a key; null is the style's own.</param>
internal sealed record TemplateJsonStyle(int? Indent, bool SortKeys, bool EscapeNonAscii, (string Item, string Key)? Separators);

/// <summary>
/// The <c>tojson</c> filter as transformers has it: Python's <c>json.dumps</c> without ASCII escapes, keys in their order, <c>", "</c> and
/// <c>": "</c> between, or one item a line when indented.
/// </summary>
internal sealed class TemplateJson(TemplateJsonStyle style)
{
    private readonly StringBuilder _text = new();
    private readonly string _itemSeparator = style.Separators?.Item ?? (style.Indent is null ? ", " : ",");
    private readonly string _keySeparator = style.Separators?.Key ?? ": ";

    public static string Write(object? value, TemplateJsonStyle style)
    {
        TemplateJson writer = new(style);
        writer.Append(value, 0);
        return writer._text.ToString();
    }

    private void Append(object? value, int depth)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        TemplateLimits.CheckLength(_text.Length);
        switch (value)
        {
            case null:
                _text.Append("null");
                break;
            case bool flag:
                _text.Append(flag ? "true" : "false");
                break;
            case long number:
                _text.Append(CultureInfo.InvariantCulture, $"{number}");
                break;
            case double number:
                _text.Append(PythonText.Number(number));
                break;
            case string content:
                AppendString(content);
                break;
            case List<object?> list:
                AppendItems('[', list, ']', depth, item => Append(item, depth + 1));
                break;
            case TemplateMap map:
                AppendItems<KeyValuePair<string, object?>>('{', style.SortKeys ? map.OrderBy(entry => entry.Key, StringComparer.Ordinal) : map, '}', depth, entry =>
                {
                    AppendString(entry.Key);
                    _text.Append(_keySeparator);
                    Append(entry.Value, depth + 1);
                });
                break;
            default:
                throw new TemplateProblemException($"a value of type {TemplateOperators.TypeName(value)} can't be written as JSON");
        }
    }

    private void AppendItems<T>(char open, IEnumerable<T> items, char close, int depth, Action<T> append)
    {
        _text.Append(open);
        var isFirst = true;
        foreach (var item in items)
        {
            if (!isFirst)
            {
                _text.Append(_itemSeparator);
            }

            isFirst = false;
            BreakLine(depth + 1);
            append(item);
        }

        if (!isFirst)
        {
            BreakLine(depth);
        }

        _text.Append(close);
    }

    private void BreakLine(int depth)
    {
        if (style.Indent is { } width)
        {
            _text.Append('\n').Append(' ', width * depth);
        }
    }

    private void AppendString(string content)
    {
        _text.Append('"');
        foreach (var character in content)
        {
            _ = character switch
            {
                '"' => _text.Append("\\\""),
                '\\' => _text.Append("\\\\"),
                '\n' => _text.Append("\\n"),
                '\r' => _text.Append("\\r"),
                '\t' => _text.Append("\\t"),
                '\b' => _text.Append("\\b"),
                '\f' => _text.Append("\\f"),
                _ when character < ' ' || (style.EscapeNonAscii && character > '~') => _text.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}"),
                _ => _text.Append(character),
            };
        }

        _text.Append('"');
    }
}
