using System.Globalization;
using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.AppHost.Settings;

/// <summary>Reads the text of one setting; the problem says what would be right.</summary>
internal static class SettingText
{
    private static string UserFolder => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    private static readonly string[] Levels = ["Trace", "Debug", "Information", "Warning", "Error"];

    public static SettingResult Count(string text, int least, int most, Func<int, AppHostSettings> take) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? new(take(value), null)
            : new(null, $"a whole number from {least} to {most} is needed");

    public static SettingResult Port(string text, Func<int, AppHostSettings> take) => Count(text, 0, 65535, take);

    public static SettingResult Share(string text, Func<double, AppHostSettings> take) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value is > 0 and <= 1
            ? new(take(value), null)
            : new(null, "a number above 0 and at most 1 is needed, for example 0.3");

    public static SettingResult Switch(string text, Func<bool, AppHostSettings> take) => text.ToLowerInvariant() switch
    {
        "true" or "on" or "yes" or "1" => new(take(true), null),
        "false" or "off" or "no" or "0" => new(take(false), null),
        _ => new(null, "true or false is needed"),
    };

    public static SettingResult Folder(string text, Func<string, AppHostSettings> take) =>
        string.IsNullOrWhiteSpace(text) || text.Contains('\0')
            ? new(null, "a folder is needed")
            : new(take(ClusterHome.Resolve(text, UserFolder).Path), null);

    public static SettingResult Level(string text, Func<string, AppHostSettings> take) =>
        Levels.FirstOrDefault(level => level.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } known
            ? new(take(known), null)
            : new(null, $"one of {string.Join(", ", Levels)} is needed");
}
