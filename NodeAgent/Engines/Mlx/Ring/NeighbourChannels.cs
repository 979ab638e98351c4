using System.Collections.Concurrent;
using ClusterLlm.ServiceDefaults.Security;
using Grpc.Net.Client;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Ring;

/// <summary>Channels to the agents of neighbouring ranks, one per node and address; what answers must be that node.</summary>
internal sealed class NeighbourChannels(ClusterCredentials credentials, ILoggerFactory loggers) : IDisposable
{
    /// <summary>A link that is cut without a word is noticed within the sum of these.</summary>
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(2);
    // Long, because an agent on a machine whose cores are all taken may answer late: a false alarm ends the whole group.
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<(string NodeId, string Address), GrpcChannel> _channels = new();

    public Proto.TunnelService.TunnelServiceClient Tunnel(ShardRank rank) => new(Channel(rank));

    public Proto.NodeService.NodeServiceClient Node(ShardRank rank) => new(Channel(rank));

    public void Dispose()
    {
        foreach (var channel in _channels.Values)
        {
            channel.Dispose();
        }
    }

    private GrpcChannel Channel(ShardRank rank) => _channels.GetOrAdd((rank.NodeId, rank.Url.GetLeftPart(UriPartial.Authority)), key => GrpcChannel.ForAddress(key.Address, new GrpcChannelOptions
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
        }.WithPeer(credentials, ExpectedPeer.Node(key.NodeId)),
        DisposeHttpClient = true,
    }));
}
