using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace ClusterLlm.Coordinator.Nodes.Adding.Ssh;

/// <summary>The TCP connection to a machine, in our own hands: the SSH library talks to <see cref="Local"/>, and this carries the bytes on.</summary>
/// <remarks>
/// SSH.NET keeps its socket to itself. When a link dies without a word, a send that the system does not take any more holds the library's locks, and every
/// command, cancellation and Dispose waits for them as long as TCP tries again: a quarter of an hour on Linux. Here both sockets are closed as soon as
/// nothing has gone through for the stall time, and all that waits ends with an error at once. What passes by is encrypted from end to end.
/// </remarks>
internal sealed class SshLine : IAsyncDisposable
{
    private const int BlockBytes = 64 * 1024;

    private readonly Socket _remote;
    private readonly Socket _listener;
    private readonly TimeSpan _stallTimeout;
    private readonly CancellationTokenSource _cut = new();
    private readonly Task _carrying;
    private Exception? _fault;

    private SshLine(Socket remote, Socket listener, TimeSpan stallTimeout)
    {
        (_remote, _listener, _stallTimeout) = (remote, listener, stallTimeout);
        Local = (IPEndPoint)listener.LocalEndPoint!;
        _carrying = CarryAsync();
    }

    /// <summary>Where the library connects to, once.</summary>
    public IPEndPoint Local { get; }

    /// <summary>Why the line was cut, for people; <see langword="null"/> as long as it was not, or when the other end has closed it.</summary>
    public string? Problem => Volatile.Read(ref _fault) switch
    {
        null => null,
        // Where the machine's address can't be resolved any more, the system gives that as the reason of its timeout.
        TimeoutException or SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.HostUnreachable or SocketError.NetworkUnreachable } => $"nothing went through for {_stallTimeout.TotalSeconds:N0} s",
        var fault => fault.Message.TrimEnd('.'),
    };

    /// <exception cref="SocketException">Nobody answers there.</exception>
    /// <exception cref="TimeoutException">Nobody has answered within <paramref name="connectTimeout"/>.</exception>
    public static async Task<SshLine> ConnectAsync(TargetAddress address, TimeSpan connectTimeout, TimeSpan stallTimeout, CancellationToken cancellationToken)
    {
        var remote = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(connectTimeout);
        try
        {
            await remote.ConnectAsync(address.Host, address.Port, limit.Token).ConfigureAwait(false);
            GiveUpAfter(remote, stallTimeout);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen(1);
            return new SshLine(remote, listener, stallTimeout);
        }
        catch (Exception e)
        {
            remote.Dispose();
            listener.Dispose();
            if (e is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"nothing came within {connectTimeout.TotalSeconds:N0} s", e);
            }

            throw;
        }
    }

    /// <summary>Closes both sockets without waiting for anybody.</summary>
    public void Cut()
    {
        _cut.Cancel();
        _listener.Dispose();
        _remote.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        Cut();
        await _carrying.ConfigureAwait(false);
        _cut.Dispose();
    }

    private async Task CarryAsync()
    {
        try
        {
            using var local = await _listener.AcceptAsync(_cut.Token).ConfigureAwait(false);
            _listener.Dispose();
            local.NoDelay = true;
            await Task.WhenAll(CarryAsync(local, _remote), CarryAsync(_remote, local)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Nobody ever came to the listener.
        }
    }

    private async Task CarryAsync(Socket from, Socket to)
    {
        var block = new byte[BlockBytes];
        try
        {
            while (await from.ReceiveAsync(block, _cut.Token).ConfigureAwait(false) is > 0 and var read)
            {
                await SendAsync(to, block.AsMemory(0, read)).ConfigureAwait(false);
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or TimeoutException or OperationCanceledException or ObjectDisposedException)
        {
            // The first one tells why; what follows from the cut does not.
            if (!_cut.IsCancellationRequested)
            {
                Interlocked.CompareExchange(ref _fault, e, null);
                Cut();
            }
        }
    }

    private async Task SendAsync(Socket to, ReadOnlyMemory<byte> bytes)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_cut.Token);
        limit.CancelAfter(_stallTimeout);
        try
        {
            while (bytes.Length > 0)
            {
                bytes = bytes[await to.SendAsync(bytes, limit.Token).ConfigureAwait(false)..];
            }
        }
        catch (OperationCanceledException) when (!_cut.IsCancellationRequested)
        {
            throw new TimeoutException();
        }
    }

    /// <summary>Lets the system end the connection when what was sent stays without an answer: the library's keep-alives make sure that there is something.</summary>
    private static void GiveUpAfter(Socket socket, TimeSpan time)
    {
        const int Tcp = 6;
        Span<byte> value = stackalloc byte[sizeof(int)];
        if (OperatingSystem.IsLinux())
        {
            const int UserTimeout = 18; // TCP_USER_TIMEOUT, tcp(7): milliseconds
            BinaryPrimitives.WriteInt32LittleEndian(value, (int)time.TotalMilliseconds);
            socket.SetRawSocketOption(Tcp, UserTimeout, value);
        }
        else if (OperatingSystem.IsMacOS())
        {
            const int DropTime = 0x80; // TCP_RXT_CONNDROPTIME, netinet/tcp.h: seconds
            BinaryPrimitives.WriteInt32LittleEndian(value, Math.Max(1, (int)time.TotalSeconds));
            socket.SetRawSocketOption(Tcp, DropTime, value);
        }
    }
}
