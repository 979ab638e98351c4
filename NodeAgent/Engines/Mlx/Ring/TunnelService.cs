using System.Net;
using System.Net.Sockets;
using ClusterLlm.ServiceDefaults.Security;
using Grpc.Core;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Ring;

/// <summary>Takes the connections of left neighbours and brings them to the ranks of this node.</summary>
internal sealed partial class TunnelService(TunnelTargets targets, TunnelMetrics metrics, IHostApplicationLifetime lifetime, ILogger<TunnelService> logger)
    : Proto.TunnelService.TunnelServiceBase
{
    /// <summary>Agents start their ranks at about the same time; a rank that measures its reference first takes longer.</summary>
    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(5);

    /// <summary>Until the rank's Python listens.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(50);

    public override async Task Carry(
        IAsyncStreamReader<Proto.TunnelFrame> requestStream,
        IServerStreamWriter<Proto.TunnelFrame> responseStream,
        ServerCallContext context)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        if (!await requestStream.MoveNext(ending.Token).ConfigureAwait(false) || requestStream.Current.Hello is not { } hello)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "The first frame of a tunnel must be its hello."));
        }

        var key = new TunnelKey(hello.DeploymentId, (int)hello.Generation, (int)hello.ToRank);
        var target = await FindAsync(key, ending.Token).ConfigureAwait(false);
        context.RequireNode(target.LeftNodeId);
        if (target.EngineVersion != hello.EngineVersion)
        {
            throw new RpcException(new Status(
                StatusCode.FailedPrecondition,
                $"Rank {hello.ToRank} has {target.EngineVersion}, rank {hello.FromRank} has {hello.EngineVersion}: install the same version on all nodes."));
        }

        using var rank = CancellationTokenSource.CreateLinkedTokenSource(ending.Token, target.Ended);
        using var socket = await ConnectAsync(target.Port, rank.Token).ConfigureAwait(false);
        await responseStream.WriteAsync(new Proto.TunnelFrame { Opened = new Proto.TunnelOpened() }, rank.Token).ConfigureAwait(false);
        LogOpened(hello.FromRank, key);
        using var traffic = metrics.Open(hello.DeploymentId, key.Rank, (int)hello.FromRank);
        await CarryAsync(socket, requestStream, responseStream, traffic, rank.Token).ConfigureAwait(false);
        LogClosed(hello.FromRank, key);
    }

    private async Task<TunnelTarget> FindAsync(TunnelKey key, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(StartPatience);
        try
        {
            return await targets.WaitAsync(key, patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.NotFound, $"There is no {key} here: it did not start within {StartPatience.TotalSeconds:0} s."));
        }
    }

    private static async Task<Socket> ConnectAsync(int port, CancellationToken cancellationToken)
    {
        using var retry = new PeriodicTimer(RetryInterval);
        while (true)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                TunnelPump.Prepare(socket);
                await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancellationToken).ConfigureAwait(false);
                return socket;
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionRefused)
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }

            await retry.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>A rank that ends, or a neighbour that hangs up, is the usual end of a tunnel.</summary>
    private static async Task CarryAsync(
        Socket socket,
        IAsyncStreamReader<Proto.TunnelFrame> incoming,
        IAsyncStreamWriter<Proto.TunnelFrame> outgoing,
        TunnelTraffic traffic,
        CancellationToken cancellationToken)
    {
        try
        {
            await TunnelPump.RunAsync(socket, incoming, outgoing, traffic, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is SocketException or IOException or OperationCanceledException or RpcException)
        {
            throw new RpcException(new Status(StatusCode.Aborted, $"The tunnel ended: {error.Message}"));
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Tunnel from rank {FromRank} to {Rank} is open")]
    private partial void LogOpened(uint fromRank, TunnelKey rank);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Tunnel from rank {FromRank} to {Rank} has ended")]
    private partial void LogClosed(uint fromRank, TunnelKey rank);
}
