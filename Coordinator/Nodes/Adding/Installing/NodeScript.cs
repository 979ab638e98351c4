using System.Collections.Immutable;
using ClusterLlm.Coordinator.Nodes.Adding.Checks;

namespace ClusterLlm.Coordinator.Nodes.Adding.Installing;

/// <summary>Command lines for <c>node.sh</c>, which lies in the agent's archive. Pure.</summary>
internal static class NodeScript
{
    /// <summary>Makes a folder that only the account can read, and prints its path.</summary>
    public const string MakeStaging = """umask 077; mktemp -d "$HOME/.clusterllm-install.XXXXXX" """;

    /// <summary>Names of the files in the staging folder.</summary>
    public const string Archive = "agent.tar.gz";
    public const string Token = "join-token";

    /// <summary>Writes standard input into a file of the staging folder.</summary>
    public static string Receive(string staging, string name) => $"umask 077; cat > {ShellText.Quote($"{staging}/{name}")}";

    /// <summary>Prints the SHA-256 of the copied archive, then its name, as both tools do.</summary>
    public static string Hash(TargetSystem system, string staging) =>
        $"{(system == TargetSystem.Mac ? "/usr/bin/shasum -a 256" : "sha256sum")} {ShellText.Quote($"{staging}/{Archive}")}";

    /// <summary>Takes the script, which is in two files, out of the archive.</summary>
    public static string TakeScript(string staging) => $"cd {ShellText.Quote(staging)} && tar -xzf {Archive} node.sh node-services.sh";

    public static string Install(string staging, string sha256, string user, IEnumerable<KeyValuePair<string, string>> settings, bool withToken) => string.Join(' ',
    [
        "/bin/sh", ShellText.Quote($"{staging}/node.sh"), "install",
        "--archive", ShellText.Quote($"{staging}/{Archive}"),
        "--sha256", sha256,
        "--user", ShellText.Quote(user),
        .. withToken ? ["--token-file", ShellText.Quote($"{staging}/{Token}")] : ImmutableArray<string>.Empty,
        .. settings.SelectMany(setting => new[] { "--set", ShellText.Quote($"{setting.Key}={setting.Value}") }),
    ]);

    /// <summary>The script of the version that is installed: it knows how that was done.</summary>
    /// <param name="action">start, stop or remove.</param>
    public static string Run(string root, string action, string user) =>
        $"/bin/sh {ShellText.Quote($"{root}/current/node.sh")} {action} --root {ShellText.Quote(root)} --user {ShellText.Quote(user)}";

    /// <summary>Deletes the staging folder, and nothing that is not one.</summary>
    public static string Clean(string staging) => $"case {ShellText.Quote(staging)} in */.clusterllm-install.*) rm -rf {ShellText.Quote(staging)} ;; esac";

    /// <summary>The last lines of the agent's log.</summary>
    public static string LogTail(string root) => $"tail -n 5 {ShellText.Quote($"{root}/logs/agent.log")} 2>/dev/null; true";

    /// <summary>Lines <c>key=value</c> of the script's answer.</summary>
    public static ImmutableDictionary<string, string> ReadAnswer(string output)
    {
        var answer = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var line in output.Split('\n', StringSplitOptions.TrimEntries))
        {
            if (line.Split('=', 2) is [{ Length: > 0 } key, var value])
            {
                answer[key] = value;
            }
        }

        return answer.ToImmutable();
    }
}
