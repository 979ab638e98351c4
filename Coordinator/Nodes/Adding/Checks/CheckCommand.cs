using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Nodes.Adding.Checks;

/// <summary>A question to the machine.</summary>
/// <param name="Name">Under which <see cref="TargetFactsReader"/> finds the answer.</param>
/// <param name="Script">For <c>/bin/sh</c>; it changes nothing.</param>
internal sealed record CheckCommand(string Name, string Script);

/// <summary>What a command answered.</summary>
internal sealed record CommandAnswer(int ExitCode, string Output, string Errors)
{
    public bool Succeeded => ExitCode == 0;
}

/// <summary>The commands that find out about a machine, by system. Pure: what they answer is read by <see cref="TargetFactsReader"/>.</summary>
/// <remarks>Full paths on a Mac: with Homebrew's in front, <c>df</c> and others are the GNU ones, which answer in another form.</remarks>
internal static class CheckCommands
{
    public const string System = "system";
    public const string Hardware = "hardware";
    public const string Disk = "disk";
    public const string HomeDisk = "home-disk";
    public const string Power = "power";
    public const string Volume = "volume";
    public const string Ports = "ports";
    public const string Python = "python";
    public const string Sudo = "sudo";
    public const string Services = "services";
    public const string Libraries = "libraries";
    public const string Installed = "installed";

    /// <summary>Folders that <c>node.sh</c> installs into, as root and as somebody else.</summary>
    public const string SystemRoot = "/opt/clusterllm";
    public const string UserRoot = ".clusterllm/installed";

    /// <summary>The first command; its answer says which others fit. Six lines, the last two may be empty.</summary>
    public static CheckCommand Identity { get; } = new("identity", """uname -sm; uname -n; id -u; id -un; printf '%s\n' "$HOME" "${SSH_CONNECTION:-}" """.Trim());

    /// <summary>sudo that must not ask.</summary>
    public static CheckCommand SudoWithoutPassword { get; } = new(Sudo, "sudo -n true");

    public static ImmutableArray<CheckCommand> For(TargetSystem system) => system == TargetSystem.Mac ? Mac : Linux;

    // /usr/bin/python3 of a Mac without the developer tools opens a dialog on its screen, so it is only asked when those are there.
    private static readonly ImmutableArray<CheckCommand> Mac =
    [
        new(System, "/usr/bin/sw_vers"),
        new(Hardware, "/usr/sbin/sysctl -i hw.model hw.memsize machdep.cpu.brand_string sysctl.proc_translated"),
        new(Disk, "/bin/df -Pk /"),
        new(HomeDisk, "/bin/df -Pk \"$HOME\""),
        new(Power, "/usr/bin/pmset -g custom"),
        new(Volume, "/usr/sbin/diskutil info -plist /"),
        new(Ports, "/usr/sbin/netstat -an -p tcp"),
        new(Python, Versions("""/opt/homebrew/bin/uv /usr/local/bin/uv "$HOME/.local/bin/uv" /opt/homebrew/bin/python3 /usr/local/bin/python3 $(/usr/bin/xcode-select -p >/dev/null 2>&1 && echo /usr/bin/python3)""")),
        new(Installed, InstalledScript),
    ];

    private static readonly ImmutableArray<CheckCommand> Linux =
    [
        new(System, "cat /etc/os-release"),
        new(Hardware, "grep -m1 'model name' /proc/cpuinfo; cat /sys/devices/virtual/dmi/id/product_name 2>/dev/null | sed 's/^/product: /'; grep MemTotal /proc/meminfo"),
        new(Disk, $"df -Pk {SystemRoot} 2>/dev/null || df -Pk /opt 2>/dev/null || df -Pk /"),
        new(HomeDisk, "df -Pk \"$HOME\""),
        new(Ports, "cat /proc/net/tcp /proc/net/tcp6 2>/dev/null"),
        new(Python, Versions("""$(command -v uv) $(command -v python3)""")),
        new(Services, "[ -d /run/systemd/system ] && echo systemd; true"),
        new(Libraries, "ls /lib/ld-musl-* 2>/dev/null; ls /lib/*/libssl.so.[13]* /usr/lib/*/libssl.so.[13]* /usr/lib64/libssl.so.[13]* /usr/lib/libssl.so.[13]* 2>/dev/null; true"),
        new(Installed, InstalledScript),
    ];

    // The folder, the version that its link names, and its settings, which only their owner can read.
    private const string InstalledScript =
        $$"""for r in {{SystemRoot}} "$HOME/{{UserRoot}}"; do [ -f "$r/.clusterllm-node" ] || continue; echo "root=$r"; echo "link=$(readlink "$r/current")"; cat "$r/settings/appsettings.json" 2>/dev/null; break; done; true""";

    private static string Versions(string paths) => $$"""for p in {{paths}}; do [ -x "$p" ] && echo "$p $("$p" --version 2>&1 | head -n 1)"; done; true""";
}
