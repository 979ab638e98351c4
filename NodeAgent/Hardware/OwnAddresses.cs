using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.NodeAgent.Hardware;

/// <summary>An address of this machine.</summary>
internal sealed record InterfaceAddress(string Interface, IPAddress Address);

/// <summary>Where an agent can be reached, and over which kind of link.</summary>
internal sealed record ReachableAddress(Uri Url, NetworkLink Link);

/// <summary>All ways to reach an agent, so that the best one can be chosen for each pair of nodes.</summary>
internal static class OwnAddresses
{
    // Bridges and pairs that containers and virtual machines get on their host: they lead nowhere else, and are called alike on every host.
    private static readonly string[] Virtual = ["docker", "br-", "virbr", "veth", "cni", "flannel", "lxc", "lxd", "podman"];

    // Apple's radio links between devices; no agent is reached over them by intent.
    private static readonly string[] Radio = ["awdl", "llw", "ap", "anpi"];

    /// <summary>The addresses that others may try. Pure.</summary>
    /// <param name="listening">What the agent listens on; an address that means all stands for every one in <paramref name="own"/>.</param>
    /// <param name="advertised">The only one, where the settings name it.</param>
    /// <param name="own">Of this machine.</param>
    /// <param name="links">Kinds of its interfaces; one that is not among them is unknown (a VPN).</param>
    public static ImmutableArray<ReachableAddress> Of(Uri listening, Uri? advertised, IEnumerable<InterfaceAddress> own, IReadOnlyCollection<NetworkLink> links)
    {
        if (advertised is not null)
        {
            return [new(advertised, InterfaceLinks.Of(advertised, links))];
        }

        var isAll = IPAddress.TryParse(listening.DnsSafeHost, out var address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any));
        return isAll
            ? [.. own.Where(one => IsUseful(one, address!)).Select(one => new ReachableAddress(UrlOf(one.Address, listening), LinkOf(one, links))).DistinctBy(one => one.Url)]
            : [new(listening, InterfaceLinks.Of(listening, links))];
    }

    /// <summary>Addresses of all interfaces that are up.</summary>
    public static IEnumerable<InterfaceAddress> Read() =>
        OwnInterfaces.Select(item => item.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown
            ? item.GetIPProperties().UnicastAddresses.Select(unicast => new InterfaceAddress(item.Name, unicast.Address))
            : []);

    private static bool IsUseful(InterfaceAddress own, IPAddress listening) =>
        // An IPv6 link-local address only means something together with the other machine's interface.
        !own.Address.IsIPv6LinkLocal
        && (own.Address.AddressFamily == AddressFamily.InterNetwork || listening.Equals(IPAddress.IPv6Any))
        && !Virtual.Any(prefix => own.Interface.StartsWith(prefix, StringComparison.Ordinal))
        && !Radio.Any(prefix => own.Interface.StartsWith(prefix, StringComparison.Ordinal) && own.Interface.AsSpan(prefix.Length).IndexOfAnyExceptInRange('0', '9') < 0);

    private static NetworkLink LinkOf(InterfaceAddress own, IReadOnlyCollection<NetworkLink> links) => IPAddress.IsLoopback(own.Address)
        ? new NetworkLink(own.Interface, LinkKind.Loopback)
        : links.FirstOrDefault(link => link.Interface == own.Interface) ?? new NetworkLink(own.Interface, LinkKind.Unknown);

    private static Uri UrlOf(IPAddress address, Uri listening) => new($"{listening.Scheme}://{new IPEndPoint(address, listening.Port)}");
}
