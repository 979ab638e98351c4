using System.Collections.Immutable;

namespace ClusterLlm.NodeAgent.Hardware.Mac;

/// <summary>What a Mac's network interfaces run over.</summary>
internal static class MacLinks
{
    /// <summary>
    /// Ports of <c>networksetup -listallhardwareports</c>, by device:
    /// <code>
    /// Hardware Port: Thunderbolt Bridge
    /// Device: bridge0
    /// Ethernet Address: 02:00:00:00:00:01
    /// </code>
    /// </summary>
    public static ImmutableDictionary<string, LinkKind> HardwarePorts(string? networksetup)
    {
        var ports = ImmutableDictionary.CreateBuilder<string, LinkKind>(StringComparer.Ordinal);
        var kind = LinkKind.Unknown;
        foreach (var line in (networksetup ?? "").Split('\n'))
        {
            var parts = line.Split(':', 2, StringSplitOptions.TrimEntries);
            switch (parts)
            {
                case ["Hardware Port", var port]:
                    kind = KindOfPort(port);
                    break;
                case ["Device", { Length: > 0 } device]:
                    ports[device] = kind;
                    break;
            }
        }

        return ports.ToImmutable();
    }

    /// <summary>
    /// Interfaces of <c>ifconfig</c> that carry traffic, with the kind of their port; a bridge without a port of its own is what its members are.
    /// Tunnels and Apple's own radio links (awdl, llw, ap) have no port and are left out: no agent is reached over them by intent.
    /// </summary>
    public static ImmutableArray<NetworkLink> Active(string? ifconfig, ImmutableDictionary<string, LinkKind> ports)
    {
        var links = ImmutableArray.CreateBuilder<NetworkLink>();
        foreach (var item in IfconfigOutput.Parse(ifconfig).Where(item => item.IsActive))
        {
            var kind = item.IsLoopback
                ? LinkKind.Loopback
                : ports.GetValueOrDefault(item.Name, item.Members.Select(member => ports.GetValueOrDefault(member)).FirstOrDefault());
            if (kind != LinkKind.Unknown)
            {
                links.Add(new NetworkLink(item.Name, kind));
            }
        }

        return links.ToImmutable();
    }

    private static LinkKind KindOfPort(string port) => port switch
    {
        "Wi-Fi" or "AirPort" => LinkKind.Wifi,
        _ when port.StartsWith("Thunderbolt", StringComparison.Ordinal) && !port.Contains("Ethernet", StringComparison.Ordinal) => LinkKind.Thunderbolt,
        _ when port.Contains("Ethernet", StringComparison.Ordinal) || port.Contains("LAN", StringComparison.Ordinal) => LinkKind.Ethernet,
        _ => LinkKind.Unknown,
    };
}
