using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ClusterLlm.Integration.Security;

/// <summary>Takes traces, metrics and logs by OTLP over HTTP on several hosts, and keeps the bytes as they come: protocol buffers leave texts readable.</summary>
internal sealed class TelemetrySink : IAsyncDisposable
{
    public const int Port = 4318;

    private readonly WebApplication _app;
    private readonly List<System.Net.Sockets.Socket> _sockets;
    private readonly StringBuilder _received = new();
    private readonly HashSet<string> _paths = [];
    private readonly Lock _gate = new();

    private TelemetrySink(IEnumerable<string> hosts)
    {
        _sockets = [.. hosts.Select(Listen)];
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => _sockets.ForEach(socket => kestrel.ListenHandle((ulong)socket.Handle)));
        _app = builder.Build();
        _app.Run(KeepAsync);
    }

    /// <summary>Settings for a process that shall send here, soon and unpacked.</summary>
    public static (string Name, string Value)[] Settings { get; } =
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://127.0.0.1:{Port}"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_BSP_SCHEDULE_DELAY", "500"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "500"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "2000"),
    ];

    /// <summary>All that came so far, each byte a character.</summary>
    public string Received
    {
        get
        {
            lock (_gate)
            {
                return _received.ToString();
            }
        }
    }

    /// <summary>Kinds that came: <c>/v1/traces</c>, <c>/v1/metrics</c>, <c>/v1/logs</c>.</summary>
    public IReadOnlyList<string> Kinds
    {
        get
        {
            lock (_gate)
            {
                return [.. _paths.Order(StringComparer.Ordinal)];
            }
        }
    }

    public static async Task<TelemetrySink> StartAsync(params string[] hosts)
    {
        var sink = new TelemetrySink(hosts);
        await sink._app.StartAsync();
        return sink;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _sockets.ForEach(socket => socket.Dispose());
    }

    private static System.Net.Sockets.Socket Listen(string host)
    {
        var socket = NetworkHosts.CreateSocket(host);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, Port));
        socket.Listen();
        return socket;
    }

    private async Task KeepAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        lock (_gate)
        {
            _paths.Add(context.Request.Path);
            _received.Append(Encoding.Latin1.GetString(body.GetBuffer(), 0, (int)body.Length));
        }
    }
}
