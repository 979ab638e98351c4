using System.Globalization;

namespace ClusterLlm.Coordinator.Security;

/// <summary>Times as people write them on a command line.</summary>
internal static class Durations
{
    /// <summary><c>90s</c>, <c>30m</c>, <c>1h</c>, <c>2d</c>, or <c>hh:mm:ss</c>; <see langword="null"/> for anything else.</summary>
    public static TimeSpan? Parse(string text)
    {
        if (text.Length > 1 && double.TryParse(text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number <= 100_000)
        {
            return text[^1] switch
            {
                's' => TimeSpan.FromSeconds(number),
                'm' => TimeSpan.FromMinutes(number),
                'h' => TimeSpan.FromHours(number),
                'd' => TimeSpan.FromDays(number),
                _ => null,
            };
        }

        return text.Contains(':') && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var time) ? time : null;
    }
}
