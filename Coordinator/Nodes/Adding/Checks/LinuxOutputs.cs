using System.Globalization;

namespace ClusterLlm.Coordinator.Nodes.Adding.Checks;

/// <summary>Parsers of what Linux tells about itself.</summary>
internal static class LinuxOutputs
{
    // TCP_LISTEN of net/tcp_states.h.
    private const string Listening = "0A";

    /// <summary><c>PRETTY_NAME="Debian GNU/Linux 13 (trixie)"</c> of os-release; else "Linux".</summary>
    public static string System(string output) =>
        output.Split('\n').Select(line => line.Split('=', 2, StringSplitOptions.TrimEntries))
            .FirstOrDefault(parts => parts is ["PRETTY_NAME", { Length: > 0 }])?[1].Trim('"', '\'') ?? "Linux";

    /// <summary><c>8054312 kB</c> of /proc/meminfo, in bytes.</summary>
    public static long? Kibibytes(string? text) =>
        text?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var number, "kB"] && long.TryParse(number, CultureInfo.InvariantCulture, out var kibibytes)
            ? kibibytes * 1024
            : null;

    /// <summary>
    /// Who listens on a port, from /proc/net/tcp and tcp6, whose addresses and ports are hexadecimal:
    /// <code>
    ///    0: 0100007F:1D06 00000000:0000 0A 00000000:00000000 …
    /// </code>
    /// </summary>
    public static string? Listener(string output, int port)
    {
        var suffix = ":" + port.ToString("X4", CultureInfo.InvariantCulture);
        return output.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Any(parts => parts is [_, var local, _, Listening, ..] && local.EndsWith(suffix, StringComparison.Ordinal))
            ? $"port {port}"
            : null;
    }

    /// <param name="output">Files found: musl's loader, then OpenSSL's libraries.</param>
    public static string? MissingLibrary(string output)
    {
        if (output.Contains("ld-musl", StringComparison.Ordinal) && !output.Contains("-linux-gnu", StringComparison.Ordinal))
        {
            return "glibc: this system is built on musl (Alpine), for which no agent is published";
        }

        return output.Contains("libssl.so", StringComparison.Ordinal) ? null : "OpenSSL: install it (Debian, Ubuntu: apt-get install libssl3)";
    }
}
