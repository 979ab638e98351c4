using System.Net;
using System.Net.Sockets;
using ClusterLlm.NodeAgent.Engines.Mlx.Installing;
using Grpc.Core;
using Microsoft.Extensions.Options;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Ring;

/// <summary>Prepares the way between a rank and its neighbours, in the way that the settings say.</summary>
internal sealed class RingConnector(IOptions<MlxOptions> options, TunnelTargets targets, TunnelMetrics metrics, NeighbourChannels channels, TimeProvider time, ILogger<RingTunnel> logger)
{
    /// <summary>What <see cref="EngineFacts.Properties"/> calls the transport.</summary>
    public const string TransportProperty = "transport";

    /// <summary>What they call the address and first port of this node on the link that ranks use directly.</summary>
    public const string DirectProperty = "direct";

    private static readonly TimeSpan DescribeLimit = TimeSpan.FromSeconds(15);

    /// <summary>For a neighbour that has just been started and still asks its Python.</summary>
    private static readonly TimeSpan PreparingPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PreparingInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>Phase one: the right neighbour's MLX must be there and the same. Each rank asks its right neighbour, which compares the whole ring.</summary>
    /// <returns>Null when it fits, else what to do.</returns>
    public async Task<string?> CheckNeighbourAsync(ShardSpec spec, string version, CancellationToken cancellationToken)
    {
        var right = (spec.Rank + 1) % spec.WorldSize;
        var neighbour = spec.Ranks[right];
        try
        {
            var node = await DescribeAsync(neighbour, cancellationToken).ConfigureAwait(false);
            return Compare(spec, version, right, node);
        }
        catch (RpcException error) when (error.StatusCode != StatusCode.Cancelled)
        {
            return $"The agent of rank {right} at {neighbour.Url} can't be asked for its MLX: {error.Status.Detail}";
        }
    }

    private async Task<Proto.NodeDescription> DescribeAsync(ShardRank neighbour, CancellationToken cancellationToken)
    {
        using var poll = new PeriodicTimer(PreparingInterval, time);
        var began = time.GetTimestamp();
        while (true)
        {
            var limit = time.GetUtcNow().UtcDateTime + DescribeLimit;
            var node = await channels.Node(neighbour).DescribeAsync(new Proto.DescribeRequest(), deadline: limit, cancellationToken: cancellationToken).ConfigureAwait(false);
            if (Mlx(node)?.UnavailableReason != MlxInstallation.Preparing || time.GetElapsedTime(began) > PreparingPatience)
            {
                return node;
            }

            await poll.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static Proto.EngineDescription? Mlx(Proto.NodeDescription node) => node.Engines.FirstOrDefault(engine => engine.Name == MlxEngine.EngineName);

    private string? Compare(ShardSpec spec, string version, int right, Proto.NodeDescription node)
    {
        var engine = Mlx(node);
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
    /// <exception cref="ShardException">The right neighbour does not say where its rank will listen.</exception>
    public async Task<RingLink> OpenAsync(ShardSpec spec, string version, CancellationToken cancellationToken)
    {
        if (spec.WorldSize == 1)
        {
            return new RingLink(RingAddresses.None, null);
        }

        return options.Value.Transport switch
        {
            MlxTransport.Direct => new RingLink(await DirectAsync(spec, cancellationToken).ConfigureAwait(false), null),
            MlxTransport.Jaccl => new RingLink(JacclPreflight.Addresses(spec, options.Value), null),
            _ => Tunnel(spec, version),
        };
    }

    private RingLink Tunnel(ShardSpec spec, string version)
    {
        var own = new IPEndPoint(IPAddress.Loopback, FreePort());
        var right = spec.Ranks[(spec.Rank + 1) % spec.WorldSize];
        var tunnel = RingTunnel.Open(spec, own.Port, version, targets, channels.Tunnel(right), metrics, logger);
        return new RingLink(new RingAddresses(spec.WorldSize, own, tunnel.LocalEnd), tunnel);
    }

    /// <summary>The neighbour's link address is its own setting: agents may talk over another network than ranks do.</summary>
    private async Task<RingAddresses> DirectAsync(ShardSpec spec, CancellationToken cancellationToken)
    {
        var right = (spec.Rank + 1) % spec.WorldSize;
        var own = new IPEndPoint(IPAddress.Parse(options.Value.DirectAddress!), options.Value.DirectPort + spec.Rank);
        try
        {
            var node = await DescribeAsync(spec.Ranks[right], cancellationToken).ConfigureAwait(false);
            return Mlx(node) is { } engine && engine.Properties.TryGetValue(DirectProperty, out var text) && IPEndPoint.TryParse(text, out var link)
                ? new RingAddresses(spec.WorldSize, own, new IPEndPoint(link.Address, link.Port + right))
                : throw new ShardException($"Rank {right} ({node.NodeId}) does not say where it listens on the direct link: set {MlxOptions.SectionName}:Transport to Direct and DirectAddress there too.");
        }
        catch (RpcException error) when (error.StatusCode != StatusCode.Cancelled)
        {
            throw new ShardException($"The agent of rank {right} at {spec.Ranks[right].Url} can't be asked for its link address: {error.Status.Detail}", error);
        }
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
