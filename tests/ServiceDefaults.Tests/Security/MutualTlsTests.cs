using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using ClusterLlm.ServiceDefaults.Security;
using ClusterLlm.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClusterLlm.ServiceDefaults.Tests.Security;

/// <summary>The mutual TLS of agents and Coordinator on real sockets.</summary>
public sealed class MutualTlsTests : IAsyncDisposable
{
    private readonly TestAuthority _authority = new();
    private readonly ClusterCredentials _server;
    private readonly ClusterCredentials _client;
    private readonly PeerListener _listener;
    private WebApplication? _app;

    public MutualTlsTests()
    {
        (_server, _client) = (_authority.Credentials("node-1"), _authority.Credentials("node-2"));
        _listener = new PeerListener(_server, NullLogger<PeerListener>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }
    }

    [Theory(Timeout = 30_000)]
    [InlineData(SslProtocols.Tls12 | SslProtocols.Tls13, SslProtocols.Tls12 | SslProtocols.Tls13, SslProtocols.Tls13)]
    [InlineData(SslProtocols.Tls12, SslProtocols.Tls12 | SslProtocols.Tls13, SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls12 | SslProtocols.Tls13, SslProtocols.Tls12, SslProtocols.Tls12)]
    public async Task Handshake_VersionsOfBothEnds_TakesTheBestThatBothHave(SslProtocols server, SslProtocols client, SslProtocols expected)
    {
        _listener.Protocols = server;
        var url = await StartAsync(TestContext.Current.CancellationToken);

        using var http = Client(_client, "node-1", client);
        var answer = await http.GetStringAsync(url, TestContext.Current.CancellationToken);

        Assert.StartsWith($"{expected} ", answer);
        Assert.Matches("TLS_(AES_(128|256)_GCM|ECDHE_ECDSA_WITH_AES_(128|256)_GCM)_", answer);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Call_AnotherNodeAnswers_SaysWhoItIs(SslProtocols protocols)
    {
        var url = await StartAsync(TestContext.Current.CancellationToken);
        using var http = Client(_client, "node-3", protocols);

        var error = await Assert.ThrowsAsync<HttpRequestException>(() => http.GetStringAsync(url, TestContext.Current.CancellationToken));

        Assert.Contains("What answers there is node node-1, not node node-3.", error.ToString(), StringComparison.Ordinal);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Call_ClientsOfNoClusterOrAnother_AreNotAnswered(SslProtocols protocols)
    {
        var url = await StartAsync(TestContext.Current.CancellationToken);
        var stranger = new ClusterCredentials(TimeProvider.System);
        stranger.Replace(new TestAuthority().Credentials("node-2").Current);

        foreach (var credentials in new[] { new ClusterCredentials(TimeProvider.System), stranger })
        {
            using var handler = new SocketsHttpHandler { SslOptions = MutualTls.ClientOptions(credentials, ExpectedPeer.Node("node-1"), protocols) };
            // They would talk to anybody; it is the server that refuses.
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null;
            using var http = Http2(handler);
            await Assert.ThrowsAsync<HttpRequestException>(() => http.GetStringAsync(url, TestContext.Current.CancellationToken));
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Connect_PlainText_IsNotAnswered()
    {
        var url = await StartAsync(TestContext.Current.CancellationToken);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, url.Port, TestContext.Current.CancellationToken);

        await socket.SendAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), SocketFlags.None, TestContext.Current.CancellationToken);
        var answer = new byte[256];
        var length = await ReadToEndAsync(socket, answer, TestContext.Current.CancellationToken);

        // At most a TLS alert (record type 21), and nothing of HTTP.
        Assert.True(length == 0 || answer[0] == 21, Convert.ToHexString(answer.AsSpan(0, length)));
        Assert.True(length < 64);
    }

    [Fact(Timeout = 30_000)]
    public async Task Revoke_OpenConnection_EndsIt()
    {
        var url = await StartAsync(TestContext.Current.CancellationToken);
        using var http = Client(_client, "node-1", MutualTls.Protocols);
        await using var stream = await http.GetStreamAsync(new Uri(url, "/endless"), TestContext.Current.CancellationToken);
        Assert.Equal(1, await stream.ReadAsync(new byte[1], TestContext.Current.CancellationToken));

        _server.ReplaceRevoked([_client.Current!.Self.Serial]);

        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            while (await stream.ReadAsync(new byte[1], TestContext.Current.CancellationToken) > 0)
            {
                // What was under way arrives first.
            }

            throw new EndOfStreamException();
        });
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetStringAsync(url, TestContext.Current.CancellationToken));
    }

    [Fact(Timeout = 30_000)]
    public async Task Replace_Renewed_IsShownOnNewConnections()
    {
        var url = await StartAsync(TestContext.Current.CancellationToken);
        using (var before = Client(_client, "node-1", MutualTls.Protocols))
        {
            Assert.EndsWith(_client.Current!.Self.Serial, await before.GetStringAsync(url, TestContext.Current.CancellationToken));
        }

        var renewed = _authority.Credentials("node-2").Current!;
        _client.Replace(renewed);
        _server.Replace(_authority.Credentials("node-1").Current);

        using var after = Client(_client, "node-1", MutualTls.Protocols);
        Assert.EndsWith(renewed.Self.Serial, await after.GetStringAsync(url, TestContext.Current.CancellationToken));
    }

    private async Task<Uri> StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            _listener.Secure(listen, PeerDemand.Certificate);
        }));
        _app = builder.Build();
        _app.MapGet("/", (HttpContext context) =>
        {
            var tls = context.Features.Get<ITlsHandshakeFeature>()!;
            return $"{tls.Protocol} {tls.NegotiatedCipherSuite} {context.Connection.ClientCertificate?.SerialNumber}";
        });
        _app.MapGet("/endless", async (HttpContext context) =>
        {
            await context.Response.Body.WriteAsync(new byte[] { 1 }, context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await new TaskCompletionSource().Task.WaitAsync(context.RequestAborted);
        });
        await _app.StartAsync(cancellationToken);
        return new Uri(_app.Urls.Single());
    }

    private static HttpClient Client(ClusterCredentials credentials, string node, SslProtocols protocols) =>
        Http2(new SocketsHttpHandler { SslOptions = MutualTls.ClientOptions(credentials, ExpectedPeer.Node(node), protocols) });

    private static HttpClient Http2(SocketsHttpHandler handler) =>
        new(handler) { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };

    private static async Task<int> ReadToEndAsync(Socket socket, byte[] buffer, CancellationToken cancellationToken)
    {
        var length = 0;
        try
        {
            while (length < buffer.Length && await socket.ReceiveAsync(buffer.AsMemory(length), SocketFlags.None, cancellationToken) is var read and > 0)
            {
                length += read;
            }
        }
        catch (SocketException)
        {
            // Reset: also no answer.
        }

        return length;
    }
}
