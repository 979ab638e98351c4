using System.Globalization;
using System.Text.RegularExpressions;

namespace ClusterLlm.Coordinator.Nodes.Adding.Checks;

/// <summary>Reads the answers to <see cref="CheckCommands"/>.</summary>
internal static partial class TargetFactsReader
{
    /// <returns>The identity, or <see langword="null"/> for a system that no agent is made for; then <paramref name="problem"/> says which.</returns>
    public static TargetIdentity? ReadIdentity(CommandAnswer answer, out string problem)
    {
        var lines = answer.Output.Split('\n');
        var kernel = lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        problem = "";
        if (kernel is not ["Darwin" or "Linux", var architecture] || lines.Length < 5 || !int.TryParse(lines[2], CultureInfo.InvariantCulture, out var userId))
        {
            problem = lines[0].Trim().Length == 0
                ? $"The machine did not answer 'uname' (exit code {answer.ExitCode}). Its account may have no shell: {FirstLine(answer.Errors)}"
                : $"The machine is \"{lines[0].Trim()}\"; there are agents for macOS and Linux only.";
            return null;
        }

        // "192.168.1.10 52344 192.168.1.20 22": client first, which is the Coordinator.
        var seen = lines.Length > 5 ? lines[5].Split(' ')[0] : "";
        return new TargetIdentity(
            kernel[0] == "Darwin" ? TargetSystem.Mac : TargetSystem.Linux, architecture, lines[1].Trim(), userId, lines[3].Trim(), lines[4].Trim(), seen);
    }

    /// <param name="answers">By <see cref="CheckCommand.Name"/>; a missing one counts as not readable.</param>
    /// <param name="port">That the agent will listen on.</param>
    public static TargetFacts Read(TargetIdentity identity, IReadOnlyDictionary<string, CommandAnswer> answers, RootAccess root, int port)
    {
        string Output(string name) => answers.TryGetValue(name, out var answer) ? answer.Output : "";
        var isMac = identity.System == TargetSystem.Mac;
        var hardware = Fields(Output(CheckCommands.Hardware));
        var system = isMac ? MacOutputs.System(Output(CheckCommands.System)) : (Name: LinuxOutputs.System(Output(CheckCommands.System)), Major: null);
        return new TargetFacts(
            identity,
            system.Name,
            system.Major,
            hardware.GetValueOrDefault(isMac ? "hw.model" : "product", ""),
            hardware.GetValueOrDefault(isMac ? "machdep.cpu.brand_string" : "model name", ""),
            isMac ? Number(hardware.GetValueOrDefault("hw.memsize")) : LinuxOutputs.Kibibytes(hardware.GetValueOrDefault("MemTotal")),
            AvailableBytes(Output(CheckCommands.Disk)),
            AvailableBytes(Output(CheckCommands.HomeDisk)),
            isMac ? MacOutputs.OnMains(Output(CheckCommands.Power), "sleep") : null,
            isMac ? MacOutputs.OnMains(Output(CheckCommands.Power), "autorestart") is { } restarts ? restarts == 1 : null : null,
            isMac ? MacOutputs.FileVault(Output(CheckCommands.Volume)) : null,
            isMac ? MacOutputs.Listener(Output(CheckCommands.Ports), port) : LinuxOutputs.Listener(Output(CheckCommands.Ports), port),
            [.. Output(CheckCommands.Python).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)],
            isMac || Output(CheckCommands.Services).Contains("systemd", StringComparison.Ordinal),
            isMac ? null : LinuxOutputs.MissingLibrary(Output(CheckCommands.Libraries)),
            root,
            hardware.GetValueOrDefault("sysctl.proc_translated") == "1",
            Installed(Output(CheckCommands.Installed)));
    }

    /// <summary>Available bytes of <c>df -Pk</c>: the fourth column from the left, or the third from the right, since a name may hold blanks.</summary>
    internal static long? AvailableBytes(string df)
    {
        var line = df.Split('\n', StringSplitOptions.RemoveEmptyEntries).ElementAtOrDefault(1);
        return line is not null && DiskLine().Match(line) is { Success: true } match ? Number(match.Groups["available"].Value) * 1024 : null;
    }

    private static InstalledAgent? Installed(string output)
    {
        var lines = output.Split('\n', StringSplitOptions.TrimEntries);
        string? Value(string key) => lines.FirstOrDefault(line => line.StartsWith($"{key}=", StringComparison.Ordinal))?[(key.Length + 1)..];
        if (Value("root") is not { Length: > 0 } root)
        {
            return null;
        }

        var version = Value("link") is { } link && link.StartsWith("versions/", StringComparison.Ordinal) ? link["versions/".Length..] : "";
        var nodeId = NodeIdSetting().Match(output) is { Success: true } match ? match.Groups["id"].Value : null;
        return new InstalledAgent(root, version, nodeId);
    }

    // "hw.memsize: 34359738368", "model name<tab>: AMD EPYC", "MemTotal:  8054312 kB".
    private static Dictionary<string, string> Fields(string output)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in output.Split('\n'))
        {
            if (line.Split(':', 2, StringSplitOptions.TrimEntries) is [{ Length: > 0 } key, var value])
            {
                fields.TryAdd(key, value);
            }
        }

        return fields;
    }

    private static long? Number(string? text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string FirstLine(string text) => text.Split('\n').Select(line => line.Trim()).FirstOrDefault(line => line.Length > 0) ?? "nothing was said.";

    [GeneratedRegex(@"\s(?<available>\d+)\s+\d+%\s+/")]
    private static partial Regex DiskLine();

    [GeneratedRegex("\"Node:Id\": \"(?<id>[A-Za-z0-9._-]+)\"")]
    private static partial Regex NodeIdSetting();
}
