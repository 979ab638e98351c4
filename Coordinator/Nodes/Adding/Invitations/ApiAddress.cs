using ClusterLlm.Coordinator.Security;
using ClusterLlm.ServiceDefaults;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace ClusterLlm.Coordinator.Nodes.Adding.Invitations;

/// <summary>Where other machines reach the HTTP API.</summary>
internal sealed class ApiAddress(IServer server, ClusterHome home)
{
    // In the order of the Listen calls: HTTP on loopback, gRPC, and HTTPS where it is asked for.
    private const int HttpsIndex = 2;

    /// <returns><see langword="null"/> when they don't: the API listens on loopback only.</returns>
    public string? ForOthers()
    {
        if (server.Features.Get<IServerAddressesFeature>()?.Addresses.ElementAtOrDefault(HttpsIndex) is not { } address)
        {
            return null;
        }

        var listening = new Uri(address);
        if (listening.Host is not ("0.0.0.0" or "[::]"))
        {
            return listening.IsLoopback ? null : listening.GetLeftPart(UriPartial.Authority);
        }

        var reached = CoordinatorAddresses.Read(home).Select(one => new Uri($"https://{one}")).FirstOrDefault(one => !one.IsLoopback);
        return reached is null ? null : new UriBuilder("https", reached.Host, listening.Port).Uri.GetLeftPart(UriPartial.Authority);
    }
}
