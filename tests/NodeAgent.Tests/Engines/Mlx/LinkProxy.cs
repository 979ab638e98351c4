using System.Net;
using System.Net.Sockets;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx;

/// <summary>A link between two agents that can be slowed and cut: forwards TCP connections byte by byte.</summary>
internal sealed class LinkProxy : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _ending = new();
    private readonly Uri _target;
    private readonly Task _accepting;

    public LinkProxy(Uri target)
    {
        _target = target;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public Uri Url => new($"https://127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}");

    /// <summary>Added to each piece of data in each direction.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>From now on nothing is forwarded and nothing closed, as when a cable is pulled.</summary>
    public bool IsSilent { get; set; }

    /// <summary>Closes all connections and takes no others.</summary>
    public void Cut()
    {
        _ending.Cancel();
        _listener.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        Cut();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true)
            {
                connections.Add(ForwardAsync(await _listener.AcceptAsync(_ending.Token)));
            }
        }
        finally
        {
            await Task.WhenAll(connections).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ForwardAsync(Socket client)
    {
        using (client)
        using (var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            client.NoDelay = server.NoDelay = true;
            await server.ConnectAsync(IPAddress.Loopback, _target.Port, _ending.Token);
            var pumps = new[] { PumpAsync(client, server), PumpAsync(server, client) };
            await Task.WhenAny(pumps);
            client.Close();
            server.Close();
            await Task.WhenAll(pumps).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        while (await from.ReceiveAsync(buffer, SocketFlags.None, _ending.Token) is var count and > 0)
        {
            if (Delay > TimeSpan.Zero)
            {
                using var timer = new PeriodicTimer(Delay);
                await timer.WaitForNextTickAsync(_ending.Token);
            }

            if (IsSilent)
            {
                await new TaskCompletionSource().Task.WaitAsync(_ending.Token);
            }

            await to.SendAsync(buffer.AsMemory(0, count), SocketFlags.None, _ending.Token);
        }
    }
}
