using System.Security.Cryptography;
using System.Text;
using ClusterLlm.Coordinator.Nodes.Adding.Packages;
using ClusterLlm.ServiceDefaults.Security;

namespace ClusterLlm.Coordinator.Nodes.Adding.Invitations;

/// <summary>The script of <c>/join.sh</c>, and the command that downloads it. Pure.</summary>
/// <remarks>The command carries the script's hash, the script carries the archives' hashes: nothing runs that is not what this Coordinator wrote.</remarks>
internal static class JoinScript
{
    private static readonly Dictionary<string, string> Patterns = new(StringComparer.Ordinal)
    {
        ["osx-arm64"] = "'Darwin arm64'",
        ["linux-x64"] = "'Linux x86_64'",
        ["linux-arm64"] = "'Linux aarch64' | 'Linux arm64'",
    };

    private static string Template { get; } = ReadTemplate();

    /// <param name="packages">Of the machines that may join by it.</param>
    public static string Write(AuthorityFingerprint authority, IEnumerable<AgentPackage> packages)
    {
        var cases = packages.OrderBy(package => package.RuntimeIdentifier, StringComparer.Ordinal)
            .Select(package => $"  {Patterns[package.RuntimeIdentifier]}) agent={package.RuntimeIdentifier} sha256={package.Sha256} ;;");
        return Template.Replace("@AUTHORITY@", Base32.Encode(authority.ToBytes()), StringComparison.Ordinal).Replace("@AGENTS@", string.Join('\n', cases), StringComparison.Ordinal);
    }

    public static string Hash(string script) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(script)));

    /// <summary>One line to paste. <c>printf</c> is part of the shell, so the token is no argument of a process.</summary>
    /// <param name="from">Where the machine reaches the API, without a slash at its end.</param>
    public static string Command(string from, string scriptHash, string token) =>
        $"f=$(mktemp) && curl -fSs -k {from}/join.sh -o \"$f\" && "
        + $"if [ \"$( (sha256sum \"$f\" 2>/dev/null || shasum -a 256 \"$f\") | cut -c 1-64)\" = {scriptHash} ]; then printf '%s\\n' {token} | sh \"$f\" {from}; "
        + "else echo 'The script is not the one that this command is for: make a new command.' >&2; false; fi";

    private static string ReadTemplate()
    {
        using var stream = typeof(JoinScript).Assembly.GetManifestResourceStream("ClusterLlm.Coordinator.Nodes.Adding.Invitations.join.sh")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
