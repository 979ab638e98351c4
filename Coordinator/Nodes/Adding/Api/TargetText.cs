using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;
using ClusterLlm.Coordinator.Nodes.Adding.Ssh;

namespace ClusterLlm.Coordinator.Nodes.Adding.Api;

/// <summary><c>user@host</c>, <c>user@host:port</c>, <c>user@[fe80::1]:port</c>. Pure.</summary>
internal static partial class TargetText
{
    private const int SshPort = 22;

    public static bool TryParse(string? text, [NotNullWhen(true)] out TargetAddress? address, [NotNullWhen(false)] out string? problem)
    {
        address = null;
        var match = Form().Match(text?.Trim() ?? "");
        if (!match.Success)
        {
            problem = $"target is '{text}'; it must be user@host or user@host:port, for example anna@mac-mini.local.";
            return false;
        }

        var port = SshPort;
        if (match.Groups["port"] is { Success: true } group && (!int.TryParse(group.ValueSpan, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535))
        {
            problem = $"target's port is '{group.Value}'; it must be 1 to 65535.";
            return false;
        }

        problem = null;
        address = new TargetAddress(match.Groups["six"].Success ? match.Groups["six"].Value : match.Groups["host"].Value, port, match.Groups["user"].Value);
        return true;
    }

    [GeneratedRegex(@"^(?<user>[A-Za-z_][A-Za-z0-9._-]{0,63})@(?:\[(?<six>[0-9A-Fa-f:.]+(?:%[A-Za-z0-9.]+)?)\]|(?<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})))(?::(?<port>\d{1,6}))?$")]
    private static partial Regex Form();
}
