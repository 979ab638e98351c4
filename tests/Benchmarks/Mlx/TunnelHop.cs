using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Engines.Mlx.Ring;
using ClusterLlm.NodeAgent.Hosting;
using ClusterLlm.NodeAgent.Joining;
using ClusterLlm.ServiceDefaults.Security;
using ClusterLlm.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClusterLlm.Benchmarks.Mlx;

/// <summary>What a tunnel adds to a hop: bytes go there and back through it, and over a plain loopback socket.</summary>
internal static class TunnelHop
{
    /// <returns>Median microseconds of one way, through the tunnel and directly.</returns>
    public static async Task<(double Tunnel, double Direct)> MeasureAsync(int bytes, int rounds)
    {
        using var echo = Listen();
        var answering = Task.WhenAll(EchoAsync(echo), EchoAsync(echo));
        var port = ((IPEndPoint)echo.LocalEndPoint!).Port;
        await using var host = await StartHostAsync();
        var url = new Uri(host.Urls.Single());
        using var channels = new NeighbourChannels(TestAuthority.Shared.Credentials("a"), NullLoggerFactory.Instance);
        var targets = host.Services.GetRequiredService<TunnelTargets>();
        var spec = new ShardSpec("t", 1, "mlx", "", "", 0, 0, 1, 1, 1, [new ShardRank("a", url), new ShardRank("b", url)], 1, 0, 0);
        using var target = targets.Add(new TunnelKey("t", 1, 1), new TunnelTarget(port, "v", "a", CancellationToken.None));
        await using var tunnel = RingTunnel.Open(
            spec, port, "v", targets, channels.Tunnel(spec.Ranks[1]), host.Services.GetRequiredService<TunnelMetrics>(), NullLogger.Instance);
        var through = await RoundTripsAsync(tunnel.LocalEnd, bytes, rounds);
        var direct = await RoundTripsAsync(new IPEndPoint(IPAddress.Loopback, port), bytes, rounds);
        await tunnel.DisposeAsync();
        await answering;
        return (through / 2, direct / 2);
    }

    private static async Task<double> RoundTripsAsync(IPEndPoint end, int bytes, int rounds)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(end);
        var buffer = new byte[bytes];
        var times = new List<double>(rounds);
        for (var round = 0; round < rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            await socket.SendAsync(buffer);
            for (var read = 0; read < bytes;)
            {
                read += await socket.ReceiveAsync(buffer.AsMemory(read));
            }

            times.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
        }

        times.Sort();
        return times[rounds / 2];
    }

    private static Socket Listen()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        return socket;
    }

    private static async Task EchoAsync(Socket listener)
    {
        using var socket = await listener.AcceptAsync();
        socket.NoDelay = true;
        var buffer = new byte[256 * 1024];
        while (await socket.ReceiveAsync(buffer) is var count and > 0)
        {
            await socket.SendAsync(buffer.AsMemory(0, count));
        }
    }

    private static async Task<WebApplication> StartHostAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        // As an agent has it: windows and blocks of its server decide about large messages.
        builder.AddStageTraffic();
        var credentials = TestAuthority.Shared.Credentials("b");
        builder.WebHost.ConfigureKestrel(kestrel => TestAuthority.Listen(kestrel, credentials));
        builder.Services.AddSingleton(credentials);
        builder.Services.AddSingleton(AgentCallRules.Rules);
        builder.Services.AddGrpc();
        builder.Services.AddSingleton<TunnelTargets>();
        builder.Services.AddSingleton<TunnelMetrics>();
        var app = builder.Build();
        app.UseMiddleware<PeerGate>();
        app.MapGrpcService<TunnelService>();
        await app.StartAsync();
        return app;
    }
}
