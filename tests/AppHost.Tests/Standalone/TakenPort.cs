using System.Net;
using System.Net.Sockets;

namespace ClusterLlm.AppHost.Tests.Standalone;

/// <summary>A loopback port that somebody listens on.</summary>
internal sealed class TakenPort : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    private TakenPort() => _listener.Start();

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public static TakenPort Take() => new();

    public void Dispose() => _listener.Dispose();
}
