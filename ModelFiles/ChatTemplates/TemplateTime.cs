using System.Globalization;
using System.Text;

namespace ClusterLlm.ModelFiles;

/// <summary>Python's <c>strftime</c> with English names.</summary>
internal static class TemplateTime
{
    public static string Format(DateTimeOffset time, string format)
    {
        StringBuilder text = new();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                text.Append(format[i]);
                continue;
            }

            i++;

            // "-" leaves a leading zero out.
            var isBare = format[i] == '-' && i + 1 < format.Length;
            i += isBare ? 1 : 0;
            var part = Part(time, format[i]);
            text.Append(isBare ? part.TrimStart('0') is { Length: > 0 } bare ? bare : "0" : part);
        }

        return text.ToString();
    }

    private static string Part(DateTimeOffset time, char code) => code switch
    {
        '%' => "%",
        'd' => Write(time, "dd"),
        'm' => Write(time, "MM"),
        'Y' => Write(time, "yyyy"),
        'y' => Write(time, "yy"),
        'b' => Write(time, "MMM"),
        'B' => Write(time, "MMMM"),
        'a' => Write(time, "ddd"),
        'A' => Write(time, "dddd"),
        'H' => Write(time, "HH"),
        'I' => Write(time, "hh"),
        'M' => Write(time, "mm"),
        'S' => Write(time, "ss"),
        'p' => Write(time, "tt"),
        'F' => Write(time, "yyyy-MM-dd"),
        'T' => Write(time, "HH:mm:ss"),
        'j' => time.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
        'f' => Write(time, "ffffff"),
        'z' => Write(time, "zzz").Replace(":", "", StringComparison.Ordinal),
        _ => throw new TemplateProblemException($"strftime_now does not know %{code}"),
    };

    private static string Write(DateTimeOffset time, string format) => time.ToString(format, CultureInfo.InvariantCulture);
}
