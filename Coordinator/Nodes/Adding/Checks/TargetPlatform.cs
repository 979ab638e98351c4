namespace ClusterLlm.Coordinator.Nodes.Adding.Checks;

/// <summary>Systems that an agent can be installed on.</summary>
internal enum TargetSystem
{
    Mac,
    Linux,
}

/// <summary>How the machine answered the first command.</summary>
/// <param name="Architecture">As <c>uname -m</c> says: arm64, aarch64, x86_64.</param>
/// <param name="UserId">0 for root.</param>
/// <param name="SeenAddress">The Coordinator's address as this machine sees it, from <c>SSH_CONNECTION</c>; empty when the server does not say.</param>
internal sealed record TargetIdentity(TargetSystem System, string Architecture, string HostName, int UserId, string UserName, string Home, string SeenAddress)
{
    public bool IsRoot => UserId == 0;

    /// <summary>The runtime identifier of the agent for this machine; <see langword="null"/> when there is none.</summary>
    /// <remarks>Under Rosetta <c>uname -m</c> says x86_64 on Apple silicon; <see cref="TargetFacts.IsTranslated"/> tells.</remarks>
    public string? RuntimeIdentifier => (System, Architecture) switch
    {
        (TargetSystem.Mac, "arm64") => "osx-arm64",
        (TargetSystem.Linux, "x86_64") => "linux-x64",
        (TargetSystem.Linux, "aarch64" or "arm64") => "linux-arm64",
        _ => null,
    };
}

/// <summary>What may be run as root there.</summary>
internal enum RootAccess
{
    /// <summary>The account is root.</summary>
    IsRoot,

    /// <summary>sudo asks for nothing.</summary>
    SudoWithoutPassword,

    /// <summary>sudo takes the account's password, which was given.</summary>
    SudoWithPassword,

    /// <summary>sudo would need a password that was not given, or refuses the account.</summary>
    None,
}

/// <summary>All that the checks found out. What could not be read is <see langword="null"/>, not a guess.</summary>
/// <param name="OperatingSystem">For example <c>macOS 26.6.2</c> or <c>Debian GNU/Linux 13 (trixie)</c>.</param>
/// <param name="MajorVersion">Of macOS; <see langword="null"/> elsewhere.</param>
/// <param name="FreeBytes">Where the agent would be installed.</param>
/// <param name="FreeHomeBytes">Where the archive is copied to: the account's home folder.</param>
/// <param name="SleepMinutes">Idle minutes on mains power after which the machine sleeps; 0: never. Macs only.</param>
/// <param name="RestartsAfterPowerCut">Macs only; laptops don't have the setting.</param>
/// <param name="DiskIsEncrypted">FileVault: after a restart somebody has to unlock the disk before anything starts.</param>
/// <param name="PortHolder">What listens on the agent's port already; <see langword="null"/> when it is free.</param>
/// <param name="Pythons">Python and uv versions by path, for the mlx engine.</param>
/// <param name="HasServiceManager">launchd or systemd.</param>
/// <param name="MissingLibrary">A library that the agent can't start without, in words; Linux only.</param>
/// <param name="Installed">The agent that is there already.</param>
internal sealed record TargetFacts(
    TargetIdentity Identity,
    string OperatingSystem,
    int? MajorVersion,
    string HardwareModel,
    string Chip,
    long? MemoryBytes,
    long? FreeBytes,
    long? FreeHomeBytes,
    int? SleepMinutes,
    bool? RestartsAfterPowerCut,
    bool? DiskIsEncrypted,
    string? PortHolder,
    IReadOnlyList<string> Pythons,
    bool HasServiceManager,
    string? MissingLibrary,
    RootAccess Root,
    bool IsTranslated,
    InstalledAgent? Installed);

/// <summary>An agent that was installed before.</summary>
/// <param name="Root">Its folder.</param>
/// <param name="Version">The first 16 digits of its archive's SHA-256; empty when the link is missing.</param>
/// <param name="NodeId">From its settings; <see langword="null"/> when they could not be read.</param>
internal sealed record InstalledAgent(string Root, string Version, string? NodeId);
