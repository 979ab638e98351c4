using System.Collections.Concurrent;
using Grpc.Net.Client;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Ring;

/// <summary>Channels to the agents of neighbouring ranks, one per address.</summary>
internal sealed class NeighbourChannels(ILoggerFactory loggers) : IDisposable
{
    /// <summary>A link that is cut without a word is noticed within the sum of these.</summary>
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(3);

    private readonly ConcurrentDictionary<string, GrpcChannel> _channels = new(StringComparer.Ordinal);

    public Proto.TunnelService.TunnelServiceClient Tunnel(Uri url) => new(Channel(url));

    public Proto.NodeService.NodeServiceClient Node(Uri url) => new(Channel(url));

    public void Dispose()
    {
        foreach (var channel in _channels.Values)
        {
            channel.Dispose();
        }
    }

    private GrpcChannel Channel(Uri url) => _channels.GetOrAdd(url.GetLeftPart(UriPartial.Authority), address => GrpcChannel.ForAddress(address, new GrpcChannelOptions
    {
        LoggerFactory = loggers,
        HttpHandler = new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = PingDelay,
            KeepAlivePingTimeout = PingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            // The window that grows by itself starts at 64 KB: a prefill chunk would wait for it.
            InitialHttp2StreamWindowSize = 4 * 1024 * 1024,
        },
        DisposeHttpClient = true,
    }));
}
