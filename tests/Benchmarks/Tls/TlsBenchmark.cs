using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using ClusterLlm.NodeAgent.Hosting;
using ClusterLlm.Protos.V1;
using ClusterLlm.ServiceDefaults.Security;
using ClusterLlm.Testing;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClusterLlm.Benchmarks.Tls;

/// <summary>
/// What mutual TLS adds to a hop between stages: the same stream, over loopback, in plain text and encrypted in turns, with an agent's server. Small messages
/// stand for a token's activations, large ones for a prefill chunk, which is answered by an empty message; the plain port exists in this benchmark only.
/// </summary>
internal static class TlsBenchmark
{
    private const int SmallBytes = 16 * 1024;
    private const int LargeBytes = 1024 * 1024;
    private const int Rounds = 7;
    private const int SmallMessages = 1500;
    private const int LargeMessages = 64;
    private const int Handshakes = 20;

    /// <summary>10 Gb/s Ethernet in bytes per microsecond: the fastest network that stages have without Thunderbolt.</summary>
    private const double EthernetBytesPerMicrosecond = 1250;

    public static async Task<int> RunAsync(BenchmarkOptions options)
    {
        await using var server = await StartAsync();
        var urls = server.Urls.Select(url => new Uri(url)).ToList();
        using var plain = GrpcChannel.ForAddress(urls.Single(url => url.Scheme == "http"), new GrpcChannelOptions { MaxReceiveMessageSize = null });
        var tlsUrl = urls.Single(url => url.Scheme == "https");
        using var tls = TestAuthority.Channel(tlsUrl, TestAuthority.Shared.Credentials("node-2"), ExpectedPeer.Node("node-1"));
        var figures = new SortedDictionary<string, double>(StringComparer.Ordinal);

        var small = await CompareAsync(plain, tls, SmallBytes, SmallMessages);
        // There and back are two hops; a token makes one for each stage.
        figures["plain us per hop of a token"] = small.Plain / 2;
        figures["tls us per hop of a token"] = small.Tls / 2;
        figures["tls added us per hop of a token"] = (small.Tls - small.Plain) / 2;
        Print($"a token's activations ({SmallBytes / 1024} KiB): {small.Plain / 2:F1} us plain, {small.Tls / 2:F1} us with TLS, added {(small.Tls - small.Plain) / 2:F1} us per hop (aim: below 100)");

        var large = await CompareAsync(plain, tls, LargeBytes, LargeMessages);
        var added = large.Tls - large.Plain;
        var megabyteOnEthernet = LargeBytes / EthernetBytesPerMicrosecond;
        var cipher = CipherMicroseconds();
        figures["plain us per MiB"] = large.Plain;
        figures["tls us per MiB"] = large.Tls;
        figures["tls added us per MiB"] = added;
        figures["cipher alone us per MiB and end"] = cipher;
        figures["tls passed MiB per s"] = 1e6 / large.Tls;
        figures["tls share of 10 GbE kept"] = Math.Min(1, megabyteOnEthernet / large.Tls);
        figures["tls added share of a MiB on 10 GbE"] = added / megabyteOnEthernet;
        Print($"a MiB: {large.Plain:F0} us plain, {large.Tls:F0} us with TLS, added {added:F0} us, of which the cipher alone {cipher:F0} us at each end; TLS passes {1e6 / large.Tls:F0} MiB/s");
        Print($"10 GbE itself takes {megabyteOnEthernet:F0} us for a MiB: of its time TLS adds {added / megabyteOnEthernet:P0} (aim: 5 %), the cipher alone {2 * cipher / megabyteOnEthernet:P0}");

        figures["handshake ms"] = await HandshakeAsync(tlsUrl);
        Print($"a new connection with both certificates: {figures["handshake ms"]:F1} ms, once for each neighbour");
        options.WriteJson(figures);
        return 0;
    }

    /// <summary>Median microseconds that AES-128-GCM takes for a MiB in records of TLS, on one core: no protocol can add less at each end.</summary>
    private static double CipherMicroseconds()
    {
        using var cipher = new AesGcm(RandomNumberGenerator.GetBytes(16), AesGcm.TagByteSizes.MaxSize);
        var (record, encrypted, tag, nonce) = (new byte[SmallBytes], new byte[SmallBytes], new byte[AesGcm.TagByteSizes.MaxSize], new byte[AesGcm.NonceByteSizes.MaxSize]);
        var times = new List<double>(LargeMessages);
        for (var message = 0; message < LargeMessages; message++)
        {
            var start = Stopwatch.GetTimestamp();
            for (var sent = 0; sent < LargeBytes; sent += SmallBytes)
            {
                cipher.Encrypt(nonce, record, encrypted, tag);
            }

            times.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
        }

        times.Sort();
        return times[LargeMessages / 2];
    }

    /// <summary>Median microseconds of a round trip, each way in turns so that what else the machine does meets both alike.</summary>
    private static async Task<(double Plain, double Tls)> CompareAsync(GrpcChannel plain, GrpcChannel tls, int bytes, int messages)
    {
        await RoundTripsAsync(plain, bytes, messages);
        await RoundTripsAsync(tls, bytes, messages);
        var (plainTimes, tlsTimes) = (new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            plainTimes.Add(await RoundTripsAsync(plain, bytes, messages));
            tlsTimes.Add(await RoundTripsAsync(tls, bytes, messages));
        }

        plainTimes.Sort();
        tlsTimes.Sort();
        return (plainTimes[Rounds / 2], tlsTimes[Rounds / 2]);
    }

    private static async Task<double> RoundTripsAsync(GrpcChannel channel, int bytes, int messages)
    {
        using var call = new TunnelService.TunnelServiceClient(channel).Carry();
        var payload = new TunnelFrame { Data = UnsafeByteOperations.UnsafeWrap(new byte[bytes]) };
        var times = new List<double>(messages);
        for (var message = 0; message < messages; message++)
        {
            var start = Stopwatch.GetTimestamp();
            await call.RequestStream.WriteAsync(payload);
            await call.ResponseStream.MoveNext(CancellationToken.None);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
        }

        await call.RequestStream.CompleteAsync();
        times.Sort();
        return times[messages / 2];
    }

    private static async Task<double> HandshakeAsync(Uri url)
    {
        var credentials = TestAuthority.Shared.Credentials("node-2");
        var times = new List<double>(Handshakes);
        for (var attempt = 0; attempt < Handshakes; attempt++)
        {
            using var channel = TestAuthority.Channel(url, credentials, ExpectedPeer.Node("node-1"));
            var start = Stopwatch.GetTimestamp();
            using var call = new TunnelService.TunnelServiceClient(channel).Carry();
            await call.RequestStream.WriteAsync(new TunnelFrame());
            await call.ResponseStream.MoveNext(CancellationToken.None);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            await call.RequestStream.CompleteAsync();
        }

        times.Sort();
        return times[Handshakes / 2];
    }

    private static async Task<WebApplication> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var credentials = TestAuthority.Shared.Credentials("node-1");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
            TestAuthority.Listen(kestrel, credentials);
        });
        builder.AddStageTraffic();
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = null);
        var app = builder.Build();
        app.MapGrpcService<EchoService>();
        await app.StartAsync();
        return app;
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    /// <summary>Sends back what comes, as a stage hands on a step; of chunks it only says that they came.</summary>
    private sealed class EchoService : TunnelService.TunnelServiceBase
    {
        public override async Task Carry(IAsyncStreamReader<TunnelFrame> requestStream, IServerStreamWriter<TunnelFrame> responseStream, ServerCallContext context)
        {
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                await responseStream.WriteAsync(requestStream.Current.Data.Length > SmallBytes ? new TunnelFrame() : requestStream.Current, context.CancellationToken);
            }
        }
    }
}
