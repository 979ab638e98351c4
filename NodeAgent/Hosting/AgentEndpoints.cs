using System.Net;
using ClusterLlm.NodeAgent.Settings;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ClusterLlm.NodeAgent.Hosting;

/// <summary>Where this agent listens; complete once the server has started.</summary>
internal sealed class AgentEndpoints
{
    private readonly TaskCompletionSource _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ListenOptions? _grpc;
    private ListenOptions? _probe;

    /// <summary>Completes when the ports are known.</summary>
    public Task Listening => _listening.Task;

    public Uri GrpcUrl => Url(_grpc);

    public Uri ProbeUrl => Url(_probe);

    /// <summary>
    /// The only place that opens ports. HTTP/2 without TLS on loopback for gRPC, HTTP/1.1 for probes: without TLS there is no ALPN, so one port
    /// can't serve both.
    /// </summary>
    public void Configure(KestrelServerOptions kestrel, NodeOptions options)
    {
        kestrel.Listen(IPAddress.Loopback, options.GrpcPort, listen => (_grpc = listen).Protocols = HttpProtocols.Http2);
        kestrel.Listen(IPAddress.Loopback, options.ProbePort, listen => (_probe = listen).Protocols = HttpProtocols.Http1);
    }

    public void MarkListening() => _listening.TrySetResult();

    /// <summary>Kestrel writes the port that it got into the listen options; a test host without Kestrel leaves port 0.</summary>
    private static Uri Url(ListenOptions? listen) => new($"http://{listen?.IPEndPoint ?? new IPEndPoint(IPAddress.Loopback, 0)}");
}
