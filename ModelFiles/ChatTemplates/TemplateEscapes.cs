using System.Globalization;
using System.Text;

namespace ClusterLlm.ModelFiles;

/// <summary>Backslash escapes of a template's string, as Python has them.</summary>
internal static class TemplateEscapes
{
    /// <summary>Appends what the escape stands for.</summary>
    /// <param name="position">Of the character after the backslash.</param>
    /// <returns>Where reading goes on.</returns>
    public static int Append(string source, int position, StringBuilder text)
    {
        var simple = source[position] switch
        {
            'n' => "\n",
            't' => "\t",
            'r' => "\r",
            'b' => "\b",
            'f' => "\f",
            'v' => "\v",
            'a' => "\a",
            '0' => "\0",
            '\n' => "",
            '\\' or '\'' or '"' => source[position].ToString(),
            _ => null,
        };
        if (simple is not null)
        {
            text.Append(simple);
            return position + 1;
        }

        var digits = source[position] switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits > 0 && position + digits < source.Length
            && int.TryParse(source.AsSpan(position + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var point))
        {
            text.Append(Rune.IsValid(point) ? new Rune(point).ToString() : ((char)point).ToString());
            return position + 1 + digits;
        }

        // An unknown escape stands for itself, backslash included.
        text.Append('\\').Append(source[position]);
        return position + 1;
    }
}
