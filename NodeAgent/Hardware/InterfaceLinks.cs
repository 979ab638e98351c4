using System.Net;

namespace ClusterLlm.NodeAgent.Hardware;

/// <summary>Which interface of this machine an address belongs to.</summary>
internal static class InterfaceLinks
{
    private static readonly NetworkLink Unknown = new("", LinkKind.Unknown);

    /// <param name="url">One of this machine's addresses; a name that is not "localhost" is not looked up.</param>
    /// <param name="links">The machine's interfaces, with what they run over.</param>
    /// <returns>An unknown link when no interface has the address.</returns>
    public static NetworkLink Of(Uri url, IReadOnlyCollection<NetworkLink> links)
    {
        if (url.IsLoopback)
        {
            return links.FirstOrDefault(link => link.Kind == LinkKind.Loopback) ?? new NetworkLink("", LinkKind.Loopback);
        }

        if (!IPAddress.TryParse(url.DnsSafeHost, out var address))
        {
            return Unknown;
        }

        var name = OwnAddresses.Read().FirstOrDefault(own => own.Address.Equals(address))?.Interface;
        return links.FirstOrDefault(link => link.Interface == name) ?? Unknown;
    }
}
