using System.Text;

namespace ClusterLlm.ModelFiles;

/// <summary>What filters and methods do with texts.</summary>
internal static class TemplateTexts
{
    /// <param name="characters">Those to take away; null is white space.</param>
    public static string Strip(string text, object? characters, bool left, bool right)
    {
        var chosen = characters is string set ? set.ToCharArray() : [];
        var isAnything = characters is not string || chosen.Length > 0;
        if (!isAnything)
        {
            return text;
        }

        // Trim without characters trims white space.
        var result = left ? text.TrimStart(chosen) : text;
        return right ? result.TrimEnd(chosen) : result;
    }

    public static List<object?> Split(string text, object? separator, long limit)
    {
        var count = limit < 0 ? int.MaxValue : (int)Math.Min(limit + 1, int.MaxValue);
        if (separator is null)
        {
            return SplitWords(text, count);
        }

        return separator is string { Length: > 0 } part
            ? [.. text.Split(part, count)]
            : throw new TemplateProblemException("split needs a text that is not empty");
    }

    public static List<object?> SplitRight(string text, object? separator, long limit)
    {
        if (separator is not string { Length: > 0 } part || limit < 0)
        {
            return Split(text, separator, limit < 0 ? -1 : limit);
        }

        List<object?> parts = [];
        var end = text.Length;
        while (parts.Count < limit && end >= part.Length && text.LastIndexOf(part, end - 1, StringComparison.Ordinal) is >= 0 and var index)
        {
            parts.Insert(0, text[(index + part.Length)..end]);
            end = index;
        }

        parts.Insert(0, text[..end]);
        return parts;
    }

    public static string Replace(string text, string old, string replacement, long count)
    {
        if (old.Length == 0)
        {
            return text;
        }

        var occurrences = text.AsSpan().Count(old);
        TemplateLimits.CheckLength(text.Length + ((long)occurrences * (replacement.Length - old.Length)));
        if (count < 0 || count >= occurrences)
        {
            return text.Replace(old, replacement, StringComparison.Ordinal);
        }

        var parts = text.Split(old, (int)count + 1);
        return string.Join(replacement, parts);
    }

    public static string Join(IReadOnlyList<object?> items, string separator)
    {
        StringBuilder text = new();
        for (var i = 0; i < items.Count; i++)
        {
            text.Append(i > 0 ? separator : "").Append(PythonText.Str(items[i]));
            TemplateLimits.CheckLength(text.Length);
        }

        return text.ToString();
    }

    public static string Capitalize(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..].ToLowerInvariant();

    /// <summary>Each word's first letter large, the rest small.</summary>
    public static string Title(string text)
    {
        var characters = text.ToCharArray();
        for (var i = 0; i < characters.Length; i++)
        {
            var isInWord = i > 0 && char.IsLetter(characters[i - 1]);
            characters[i] = isInWord ? char.ToLowerInvariant(characters[i]) : char.ToUpperInvariant(characters[i]);
        }

        return new string(characters);
    }

    /// <summary>Indents all lines but the first, and not empty ones, as Jinja does by default.</summary>
    public static string Indent(string text, string indentation, bool first, bool blank)
    {
        var lines = text.Split('\n');
        TemplateLimits.CheckLength(text.Length + ((long)lines.Length * indentation.Length));
        return string.Join('\n', lines.Select((line, i) => (i == 0 ? first : blank || line.Length > 0) ? indentation + line : line));
    }

    private static List<object?> SplitWords(string text, int count)
    {
        List<object?> words = [];
        var rest = text.AsSpan().TrimStart();
        while (!rest.IsEmpty)
        {
            var length = 0;
            while (length < rest.Length && !char.IsWhiteSpace(rest[length]))
            {
                length++;
            }

            if (words.Count == count - 1)
            {
                words.Add(rest.ToString());
                break;
            }

            words.Add(rest[..length].ToString());
            rest = rest[length..].TrimStart();
        }

        return words;
    }
}
