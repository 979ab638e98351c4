using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Microsoft.Extensions.Options;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Ring;

/// <summary>Prepares the way between a rank and its neighbours, in the way that the settings say.</summary>
internal sealed class RingConnector(IOptions<MlxOptions> options, TunnelTargets targets, NeighbourChannels channels, TimeProvider time, ILogger<RingTunnel> logger)
{
    /// <summary>What <see cref="EngineFacts.Properties"/> calls the transport.</summary>
    public const string TransportProperty = "transport";

    private static readonly TimeSpan DescribeLimit = TimeSpan.FromSeconds(15);

    /// <summary>Phase one: the right neighbour's MLX must be there and the same. Each rank asks its right neighbour, which compares the whole ring.</summary>
    /// <returns>Null when it fits, else what to do.</returns>
    public async Task<string?> CheckNeighbourAsync(ShardSpec spec, string version, CancellationToken cancellationToken)
    {
        var right = (spec.Rank + 1) % spec.WorldSize;
        var url = spec.Ranks[right].Url;
        Proto.NodeDescription node;
        try
        {
            var limit = time.GetUtcNow().UtcDateTime + DescribeLimit;
            node = await channels.Node(url).DescribeAsync(new Proto.DescribeRequest(), deadline: limit, cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException error) when (error.StatusCode != StatusCode.Cancelled)
        {
            return $"The agent of rank {right} at {url} can't be asked for its MLX: {error.Status.Detail}";
        }

        var engine = node.Engines.FirstOrDefault(engine => engine.Name == MlxEngine.EngineName);
        var transport = options.Value.Transport.ToString();
        return engine switch
        {
            null => $"Rank {right} ({node.NodeId}) has no engine mlx.",
            { Available: false } => $"Rank {right} ({node.NodeId}) can't use MLX: {engine.UnavailableReason}",
            _ when engine.Version != version => $"Rank {right} ({node.NodeId}) has {engine.Version}, rank {spec.Rank} has {version}: install the same on all nodes.",
            _ when engine.Properties.TryGetValue(TransportProperty, out var other) && other != transport =>
                $"Rank {right} ({node.NodeId}) has {MlxOptions.SectionName}:Transport {other}, rank {spec.Rank} has {transport}: set the same on all nodes.",
            _ => null,
        };
    }

    /// <summary>Phase two: ports, and with them the tunnel; the rank may then start at any time.</summary>
    public RingLink Open(ShardSpec spec, string version)
    {
        if (spec.WorldSize == 1)
        {
            return new RingLink(RingAddresses.None, null);
        }

        return options.Value.Transport switch
        {
            MlxTransport.Direct => new RingLink(Direct(spec), null),
            MlxTransport.Jaccl => new RingLink(JacclPreflight.Addresses(spec, options.Value), null),
            _ => Tunnel(spec, version),
        };
    }

    private RingLink Tunnel(ShardSpec spec, string version)
    {
        var own = new IPEndPoint(IPAddress.Loopback, FreePort());
        var right = spec.Ranks[(spec.Rank + 1) % spec.WorldSize].Url;
        var tunnel = RingTunnel.Open(spec, own.Port, version, targets, channels.Tunnel(right), logger);
        return new RingLink(new RingAddresses(spec.WorldSize, own, tunnel.LocalEnd), tunnel);
    }

    private RingAddresses Direct(ShardSpec spec)
    {
        var right = (spec.Rank + 1) % spec.WorldSize;
        var own = new IPEndPoint(IPAddress.Parse(options.Value.DirectAddress!), options.Value.DirectPort + spec.Rank);
        return IPAddress.TryParse(spec.Ranks[right].Url.Host, out var address)
            ? new RingAddresses(spec.WorldSize, own, new IPEndPoint(address, options.Value.DirectPort + right))
            : throw new ShardException($"Rank {right} is reached at {spec.Ranks[right].Url}: the direct transport needs an IPv4 address there, because MLX's ring takes nothing else.");
    }

    /// <summary>Taken by the rank a moment later; if another program is faster, the rank says so and the start fails.</summary>
    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}

/// <summary>A rank's way to its neighbours while it runs.</summary>
internal sealed class RingLink(RingAddresses addresses, RingTunnel? tunnel) : IAsyncDisposable
{
    public RingAddresses Addresses { get; } = addresses;

    /// <summary>Why the way is gone; null while it is open, and where the rank connects by itself.</summary>
    public string? Broken => tunnel is { Ended: { IsCompletedSuccessfully: true } ended } ? ended.Result : null;

    public ValueTask DisposeAsync() => tunnel?.DisposeAsync() ?? ValueTask.CompletedTask;
}
