using System.Collections.Immutable;
using System.Globalization;

namespace ClusterLlm.Coordinator.Nodes.Adding.Checks;

/// <summary>What the checks mean: whether an agent can be installed, as what, and what the person should know.</summary>
/// <param name="RuntimeIdentifier">Of the agent to install; <see langword="null"/> when there is none for the machine.</param>
/// <param name="AsRoot">As a service of the system, not of the account.</param>
/// <param name="Problems">Each of them ends the installation, and says what to do.</param>
/// <param name="Notes">Do not; they are shown.</param>
internal sealed record TargetVerdict(string? RuntimeIdentifier, bool AsRoot, ImmutableArray<string> Problems, ImmutableArray<string> Notes)
{
    /// <summary>Root is the only thing that is missing.</summary>
    public bool NeedsRootOnly { get; init; }

    // .NET 10 runs on macOS 14 and later.
    private const int OldestMac = 14;

    // From this version on macOS keeps agents of accounts away from the local network (Apple TN3179).
    private const int LocalNetworkPrivacySince = 15;

    /// <summary>Decides. Pure.</summary>
    /// <param name="userService">The person has agreed to a service of the account where root is out of reach.</param>
    /// <param name="port">That the agent will listen on.</param>
    public static TargetVerdict Decide(TargetFacts facts, bool userService, int port)
    {
        var identity = facts.IsTranslated ? facts.Identity with { Architecture = "arm64" } : facts.Identity;
        var problems = ImmutableArray.CreateBuilder<string>();
        if (identity.RuntimeIdentifier is null)
        {
            problems.Add($"The machine is a {facts.OperatingSystem} on {identity.Architecture}; there are agents for Apple silicon, Linux x86_64 and Linux arm64.");
        }

        if (facts.MajorVersion < OldestMac)
        {
            problems.Add($"The machine has {facts.OperatingSystem}; the agent needs macOS {OldestMac} or newer.");
        }

        if (facts.MissingLibrary is { } library)
        {
            problems.Add($"The agent can't start there without {library}.");
        }

        if (facts is { PortHolder: { } holder, Installed: null })
        {
            problems.Add($"Something listens on {holder} already. End it, or choose another port for the agent.");
        }

        var asRoot = facts.Root != RootAccess.None;
        if (!asRoot && !userService)
        {
            problems.Add($"The account {identity.UserName} may not use sudo without a password, and no right one was given. Give sudo's password, or agree to a service of the account (userService): {UserServiceLimits(facts)}");
        }

        return new TargetVerdict(identity.RuntimeIdentifier, asRoot, problems.ToImmutable(), [.. NotesOn(facts, asRoot, port)])
        {
            NeedsRootOnly = problems.Count == 1 && !asRoot && !userService,
        };
    }

    /// <summary>Why the agent does not fit on the disk; <see langword="null"/> when it does or the space is not known.</summary>
    public static string? DiskProblem(TargetFacts facts, long archiveBytes, long unpackedBytes)
    {
        // Measured in both places apart: they may be one disk, and the archive lies there until the agent is unpacked.
        var needed = archiveBytes + unpackedBytes;
        return facts.FreeBytes < needed ? $"{needed:N0} bytes are needed to install the agent; {facts.FreeBytes:N0} are free. Free some space there."
            : facts.FreeHomeBytes < archiveBytes ? $"{archiveBytes:N0} bytes are needed in {facts.Identity.Home}; {facts.FreeHomeBytes:N0} are free. Free some space there."
            : null;
    }

    private static IEnumerable<string> NotesOn(TargetFacts facts, bool asRoot, int port)
    {
        if (!asRoot)
        {
            yield return $"A service of the account is installed: {UserServiceLimits(facts)}";
        }

        if (!facts.HasServiceManager)
        {
            yield return "There is no systemd: the agent runs in a loop that restarts it when it dies, but nothing starts it at boot.";
        }

        if (facts.SleepMinutes is > 0 and var minutes)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"The Mac sleeps after {minutes} idle minutes, and a sleeping node is a lost one. To change it: sudo pmset -c sleep 0");
        }

        if (facts.RestartsAfterPowerCut == false)
        {
            yield return "The Mac stays off after a power cut. To change it: sudo pmset -a autorestart 1";
        }

        if (facts.DiskIsEncrypted == true)
        {
            yield return "FileVault is on: after a restart the node comes back once somebody has unlocked the disk.";
        }

        if (facts is { Identity.System: TargetSystem.Mac, Pythons.Count: 0 })
        {
            yield return "No Python was found, so there is no mlx engine until uv or Python 3.11 is installed; the builtin engine works.";
        }

        if (facts is { PortHolder: null, Installed: not null })
        {
            yield return $"An agent is installed in {facts.Installed.Root}, but nothing listens on port {port}.";
        }
    }

    private static string UserServiceLimits(TargetFacts facts) => facts.Identity.System == TargetSystem.Mac
        ? "it starts only when the account logs in"
            + (facts.MajorVersion is >= LocalNetworkPrivacySince or null ? ", and macOS keeps it away from other machines of the local network until that is allowed in System Settings, Privacy & Security, Local Network." : ".")
        : "it ends with the account's last session unless lingering is allowed, and may not start at boot.";
}
