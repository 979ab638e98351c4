using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.Coordinator.Security;

/// <summary>Where agents reach the Coordinator: written down by the running one, for tokens that the command line makes beside it.</summary>
internal static class CoordinatorAddresses
{
    private const string FileName = "coordinator-addresses";

    /// <summary>The <c>host:port</c> list for a listening address.</summary>
    /// <param name="listening">An address of this machine, or the one that means all.</param>
    /// <param name="own">This machine's addresses; loopback and link-local ones are left out where all are listened on.</param>
    public static ImmutableArray<string> Of(IPAddress listening, int port, IEnumerable<IPAddress> own)
    {
        var all = listening.Equals(IPAddress.Any) || listening.Equals(IPAddress.IPv6Any);
        var addresses = all
            ? own.Where(address => !IPAddress.IsLoopback(address) && !address.IsIPv6LinkLocal && !IsIPv4LinkLocal(address))
                .Where(address => listening.Equals(IPAddress.IPv6Any) || address.AddressFamily == AddressFamily.InterNetwork)
                .OrderBy(address => address.AddressFamily == AddressFamily.InterNetwork ? 0 : 1)
                .ThenBy(address => address.ToString(), StringComparer.Ordinal)
                .ToList()
            : [listening];
        return [.. (addresses.Count == 0 ? [IPAddress.Loopback] : addresses).Select(address => new IPEndPoint(address, port).ToString())];
    }

    public static IEnumerable<IPAddress> OwnAddresses() => OwnInterfaces.Select(network =>
        network.OperationalStatus == OperationalStatus.Up ? network.GetIPProperties().UnicastAddresses.Select(address => address.Address) : []);

    public static void Write(ClusterHome home, ImmutableArray<string> addresses) => File.WriteAllLines(PathIn(home), addresses);

    /// <summary>As the running or the last Coordinator wrote them; empty when none has run.</summary>
    public static ImmutableArray<string> Read(ClusterHome home) => File.Exists(PathIn(home)) ? [.. File.ReadAllLines(PathIn(home)).Where(line => line.Length > 0)] : [];

    private static string PathIn(ClusterHome home) => Path.Combine(home.Path, FileName);

    // 169.254.0.0/16: what a Mac gives itself on a cable without DHCP; different on every cable.
    private static bool IsIPv4LinkLocal(IPAddress address) => address.ToString().StartsWith("169.254.", StringComparison.Ordinal);
}
