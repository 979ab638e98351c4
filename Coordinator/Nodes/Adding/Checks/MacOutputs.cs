using System.Globalization;
using System.Text.RegularExpressions;

namespace ClusterLlm.Coordinator.Nodes.Adding.Checks;

/// <summary>Parsers of what commands of macOS print.</summary>
internal static partial class MacOutputs
{
    /// <summary>
    /// <c>sw_vers</c>, one or two tabs after the colon by version:
    /// <code>
    /// ProductName:		macOS
    /// ProductVersion:		26.6.2
    /// BuildVersion:		25G83
    /// </code>
    /// </summary>
    public static (string Name, int? Major) System(string output)
    {
        var version = output.Split('\n').Select(line => line.Split(':', 2, StringSplitOptions.TrimEntries))
            .FirstOrDefault(parts => parts is ["ProductVersion", _])?[1];
        return version is null ? ("macOS", null) : ($"macOS {version}", int.TryParse(version.Split('.')[0], CultureInfo.InvariantCulture, out var major) ? major : null);
    }

    /// <summary>
    /// A setting of <c>pmset -g custom</c> on mains power; desktops have that section only. Keys may hold blanks, the value is the last word:
    /// <code>
    /// AC Power:
    ///  Sleep On Power Button 1
    ///  sleep                1
    /// </code>
    /// </summary>
    public static int? OnMains(string output, string key)
    {
        var inSection = false;
        foreach (var line in output.Split('\n'))
        {
            if (line.Length > 0 && !char.IsWhiteSpace(line[0]))
            {
                inSection = line.StartsWith("AC Power", StringComparison.Ordinal);
            }
            else if (inSection && line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var name, var value] && name == key)
            {
                return int.TryParse(value, CultureInfo.InvariantCulture, out var number) ? number : null;
            }
        }

        return null;
    }

    /// <summary><c>&lt;key&gt;FileVault&lt;/key&gt; &lt;true/&gt;</c> of <c>diskutil info -plist /</c>.</summary>
    public static bool? FileVault(string output) =>
        FileVaultKey().Match(output) is { Success: true } match ? match.Groups["value"].Value == "true" : null;

    /// <summary>
    /// Who listens on a port, from <c>netstat -an -p tcp</c>; addresses end with a dot and the port:
    /// <code>
    /// tcp46      0      0  *.7430                 *.*                    LISTEN
    /// </code>
    /// </summary>
    public static string? Listener(string output, int port)
    {
        foreach (var line in output.Split('\n'))
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, _, _, var local, _, "LISTEN", ..] && local.EndsWith($".{port}", StringComparison.Ordinal))
            {
                return local;
            }
        }

        return null;
    }

    [GeneratedRegex(@"<key>FileVault</key>\s*<(?<value>true|false)/>")]
    private static partial Regex FileVaultKey();
}
