using System.Net;
using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.ServiceDefaults.Security;
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

    public Uri GrpcUrl => Url("https", _grpc);

    public Uri ProbeUrl => Url("http", _probe);

    /// <summary>
    /// The only place that opens ports: gRPC for those who show a certificate of the cluster, and the liveness probe for this machine.
    /// </summary>
    public void Configure(KestrelServerOptions kestrel, NodeOptions options, PeerListener peers)
    {
        kestrel.Listen(IPAddress.Parse(options.ListenAddress), options.GrpcPort, listen =>
        {
            (_grpc = listen).Protocols = HttpProtocols.Http2;
            peers.Secure(listen, PeerDemand.Certificate);
        });
        kestrel.Listen(IPAddress.Loopback, options.ProbePort, listen => (_probe = listen).Protocols = HttpProtocols.Http1);
    }

    public void MarkListening() => _listening.TrySetResult();

    /// <summary>Kestrel writes the port that it got into the listen options; a test host without Kestrel leaves port 0.</summary>
    private static Uri Url(string scheme, ListenOptions? listen) => new($"{scheme}://{listen?.IPEndPoint ?? new IPEndPoint(IPAddress.Loopback, 0)}");
}
