using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Ring;

/// <summary>A rank's way to its right neighbour: a loopback port that the rank connects to, and a call to the neighbour's agent.</summary>
internal sealed partial class RingTunnel : IAsyncDisposable
{
    private readonly ShardSpec _spec;
    private readonly string _engineVersion;
    private readonly Proto.TunnelService.TunnelServiceClient _neighbour;
    private readonly ILogger _logger;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _ending = new();
    private readonly IDisposable _target;
    private readonly TunnelMetrics _metrics;
    private int _disposed;

    private RingTunnel(
        ShardSpec spec,
        int ownPort,
        string engineVersion,
        TunnelTargets targets,
        Proto.TunnelService.TunnelServiceClient neighbour,
        TunnelMetrics metrics,
        ILogger logger)
    {
        (_spec, _engineVersion, _neighbour, _metrics, _logger) = (spec, engineVersion, neighbour, metrics, logger);
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(1);
        _target = targets.Add(TunnelKey.Of(spec), new TunnelTarget(ownPort, engineVersion, spec.Ranks[(spec.Rank + spec.WorldSize - 1) % spec.WorldSize].NodeId, _ending.Token));
        Ended = RunAsync();
    }

    /// <summary>Where the rank finds its right neighbour.</summary>
    public IPEndPoint LocalEnd => (IPEndPoint)_listener.LocalEndPoint!;

    /// <summary>Completes with the reason when the way to the neighbour is gone. Never faults.</summary>
    public Task<string> Ended { get; }

    private int RightRank => (_spec.Rank + 1) % _spec.WorldSize;

    /// <param name="ownPort">Where the rank will take its left neighbour's connection.</param>
    public static RingTunnel Open(
        ShardSpec spec,
        int ownPort,
        string engineVersion,
        TunnelTargets targets,
        Proto.TunnelService.TunnelServiceClient neighbour,
        TunnelMetrics metrics,
        ILogger logger) => new(spec, ownPort, engineVersion, targets, neighbour, metrics, logger);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _target.Dispose();
        await _ending.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await Ended.ConfigureAwait(false);
        _ending.Dispose();
    }

    private async Task<string> RunAsync()
    {
        await Task.Yield();
        try
        {
            using var socket = await _listener.AcceptAsync(_ending.Token).ConfigureAwait(false);
            TunnelPump.Prepare(socket);
            using var call = _neighbour.Carry(cancellationToken: _ending.Token);
            await OpenAsync(call).ConfigureAwait(false);
            LogOpen(_logger, _spec.DeploymentId, _spec.Rank, RightRank);
            using var traffic = _metrics.Open(_spec.DeploymentId, _spec.Rank, RightRank);
            await TunnelPump.RunAsync(socket, call.ResponseStream, call.RequestStream, traffic, _ending.Token).ConfigureAwait(false);
            return $"the way to rank {RightRank} was closed";
        }
        catch (Exception error) when (error is SocketException or IOException or OperationCanceledException or RpcException or ObjectDisposedException)
        {
            return _ending.IsCancellationRequested
                ? "the tunnel was closed"
                : $"the way to rank {RightRank} at {_spec.Ranks[RightRank].Url} broke: {(error as RpcException)?.Status.Detail ?? error.Message}";
        }
    }

    private async Task OpenAsync(AsyncDuplexStreamingCall<Proto.TunnelFrame, Proto.TunnelFrame> call)
    {
        var hello = new Proto.TunnelHello
        {
            DeploymentId = _spec.DeploymentId,
            Generation = (uint)_spec.Generation,
            FromRank = (uint)_spec.Rank,
            ToRank = (uint)RightRank,
            EngineVersion = _engineVersion,
        };
        await call.RequestStream.WriteAsync(new Proto.TunnelFrame { Hello = hello }, _ending.Token).ConfigureAwait(false);
        if (!await call.ResponseStream.MoveNext(_ending.Token).ConfigureAwait(false) || call.ResponseStream.Current.Opened is null)
        {
            throw new IOException($"the agent of rank {RightRank} answered with something else than an open tunnel");
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Deployment {DeploymentId}: rank {Rank} has its way to rank {RightRank}")]
    private static partial void LogOpen(ILogger logger, string deploymentId, int rank, int rightRank);
}
