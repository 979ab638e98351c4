using ClusterLlm.Coordinator.Nodes.Adding.Checks;

namespace ClusterLlm.Coordinator.Tests.Nodes.Adding;

/// <summary>What Macs answered; Samples/README.md tells where it comes from.</summary>
internal static class RecordedMac
{
    public static string Read(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Nodes", "Adding", "Samples", name));

    /// <summary>Six lines: kernel and machine, host, user id, user, home, SSH connection.</summary>
    public static TargetIdentity Identity { get; } =
        TargetFactsReader.ReadIdentity(new CommandAnswer(0, "Darwin arm64\nAnnas-Mac-mini.local\n501\nanna\n/Users/anna\n192.168.1.10 52344 192.168.1.20 22\n", ""), out _)!;

    /// <summary>An answer to every command that is asked of a Mac.</summary>
    public static Dictionary<string, CommandAnswer> Answers() => new(StringComparer.Ordinal)
    {
        [CheckCommands.System] = Answer("sw_vers_26.6.2.txt"),
        [CheckCommands.Hardware] = Answer("sysctl_vm_m1_github_26.6.2.txt"),
        [CheckCommands.Disk] = Answer("df_Pk_root_macos.txt"),
        [CheckCommands.HomeDisk] = Answer("df_Pk_root_macos.txt"),
        [CheckCommands.Power] = Answer("pmset_g_custom_m1_26.2.txt"),
        [CheckCommands.Volume] = Answer("diskutil_info_plist_root_m5.plist"),
        [CheckCommands.Ports] = Answer("netstat_anv_listen_macos11.txt"),
        [CheckCommands.Python] = new(0, "", ""),
        [CheckCommands.Installed] = new(0, "", ""),
    };

    public static TargetFacts Facts(int port = 7430, RootAccess root = RootAccess.SudoWithPassword) => TargetFactsReader.Read(Identity, Answers(), root, port);

    private static CommandAnswer Answer(string sample) => new(0, Read(sample), "");
}
