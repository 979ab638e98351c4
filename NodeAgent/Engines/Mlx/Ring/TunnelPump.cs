using System.Buffers;
using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Core;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Ring;

/// <summary>Copies bytes between a rank's socket and a call, in both directions, until one side ends.</summary>
internal static class TunnelPump
{
    /// <summary>A decode step of one sequence is 10 to 20 KB; a prefill chunk some megabytes.</summary>
    private const int BufferBytes = 64 * 1024;

    /// <summary>Loopback sockets of a ring carry small messages that the other rank waits for.</summary>
    public static void Prepare(Socket socket)
    {
        socket.NoDelay = true;
        socket.SendBufferSize = socket.ReceiveBufferSize = 1024 * 1024;
    }

    /// <summary>Returns when either side has ended; the socket is closed then, which the rank notices at once.</summary>
    public static async Task RunAsync(
        Socket socket,
        IAsyncStreamReader<Proto.TunnelFrame> incoming,
        IAsyncStreamWriter<Proto.TunnelFrame> outgoing,
        TunnelTraffic traffic,
        CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var send = SendAsync(socket, outgoing, traffic, ending.Token);
        var receive = ReceiveAsync(socket, incoming, traffic, ending.Token);
        try
        {
            await await Task.WhenAny(send, receive).ConfigureAwait(false);
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            socket.Dispose();
            await Task.WhenAll(Settle(send), Settle(receive)).ConfigureAwait(false);
        }
    }

    private static async Task SendAsync(Socket socket, IAsyncStreamWriter<Proto.TunnelFrame> outgoing, TunnelTraffic traffic, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (await socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken).ConfigureAwait(false) is var count and > 0)
            {
                // Serialized before WriteAsync completes, so the buffer may be used again after it.
                var frame = new Proto.TunnelFrame { Data = UnsafeByteOperations.UnsafeWrap(buffer.AsMemory(0, count)) };
                await outgoing.WriteAsync(frame, cancellationToken).ConfigureAwait(false);
                traffic.Sent(count);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task ReceiveAsync(Socket socket, IAsyncStreamReader<Proto.TunnelFrame> incoming, TunnelTraffic traffic, CancellationToken cancellationToken)
    {
        while (await incoming.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            var data = incoming.Current.Data.Memory;
            traffic.Received(data.Length);
            while (data.Length > 0)
            {
                data = data[await socket.SendAsync(data, SocketFlags.None, cancellationToken).ConfigureAwait(false)..];
            }
        }
    }

    /// <summary>The direction that ended second ends because of the first: its own error says nothing new.</summary>
    private static async Task Settle(Task direction) =>
        await direction.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
