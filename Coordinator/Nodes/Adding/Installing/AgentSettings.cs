using System.Globalization;
using System.Net;

namespace ClusterLlm.Coordinator.Nodes.Adding.Installing;

/// <summary>The settings that an installed agent gets. Pure.</summary>
internal static class AgentSettings
{
    public static IReadOnlyList<KeyValuePair<string, string>> For(string nodeId, Uri coordinator, int port) =>
    [
        new("Node:Id", nodeId),
        new("Node:CoordinatorUrl", coordinator.GetLeftPart(UriPartial.Authority)),
        new("Node:ListenAddress", "0.0.0.0"),
        new("Node:GrpcPort", port.ToString(CultureInfo.InvariantCulture)),
    ];

    /// <summary>Why a machine elsewhere can't reach the Coordinator; <see langword="null"/> when nothing is known to stand against it.</summary>
    /// <param name="listening">What agents reach the Coordinator at.</param>
    public static string? ReachProblem(IPAddress listening, Uri coordinator) => IPAddress.IsLoopback(listening) && !coordinator.IsLoopback
        ? $"The node would reach this Coordinator at {coordinator.Authority}, but it listens for agents on {listening} only. Set Cluster:GrpcAddress to 0.0.0.0 (CLUSTERLLM__Cluster__GrpcAddress) and start it again."
        : null;

    /// <param name="address">An IP address, with or without a zone.</param>
    public static Uri CoordinatorAt(string address, int grpcPort) => new UriBuilder("https", address, grpcPort).Uri;
}

/// <summary>What <c>node.sh install</c> has made.</summary>
/// <param name="Service">launchd-daemon, launchd-agent, systemd, systemd-user or process.</param>
/// <param name="Changed">Something is other than before, so the service has to be started anew.</param>
internal sealed record InstalledService(string Service, string Root, string Version, bool Changed)
{
    public static InstalledService Read(string output)
    {
        var answer = NodeScript.ReadAnswer(output);
        return new InstalledService(
            answer.GetValueOrDefault("service", "unknown"), answer.GetValueOrDefault("root", ""), answer.GetValueOrDefault("version", ""), answer.GetValueOrDefault("changed") != "no");
    }
}

/// <summary>A node id for a machine that has none. Pure.</summary>
internal static class NodeIdProposal
{
    private const int MostOfName = 40;

    /// <returns>The host's name in the letters that ids may have, and four random hexadecimal digits, since two Macs are often called the same.</returns>
    public static string From(string hostName, Random random)
    {
        var name = new string([.. hostName.Split('.')[0].Select(letter => char.IsAsciiLetterOrDigit(letter) ? char.ToLowerInvariant(letter) : '-')]).Trim('-');
        return $"{(name.Length == 0 ? "node" : name[..Math.Min(name.Length, MostOfName)])}-{random.Next(0x10000):x4}";
    }
}
