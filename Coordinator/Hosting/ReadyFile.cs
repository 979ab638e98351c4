using System.Text.Json;
using ClusterLlm.Coordinator.Security;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Hosting;

/// <summary>Notes the bound ports once the server listens, and writes them to the ready file if one is asked for.</summary>
internal sealed partial class ReadyFile(
    IServer server, ListeningPorts ports, HttpsCertificate https, IOptions<ClusterOptions> options, ILogger<ReadyFile> logger) : IHostedLifecycleService
{
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        // In the order of the Listen calls: HTTP, gRPC, and HTTPS where it is asked for. An in-process test server has no such addresses.
        var addresses = server.Features.Get<IServerAddressesFeature>()?.Addresses.Select(address => new Uri(address)).ToArray() ?? [];
        if (addresses.Length < 2 || addresses.Any(address => address.Port is 0))
        {
            return Task.CompletedTask;
        }

        (ports.Http, ports.Grpc) = (addresses[0].Port, addresses[1].Port);
        var (httpUrl, grpcUrl) = ($"http://127.0.0.1:{ports.Http}", $"https://{Reachable(addresses[1])}:{ports.Grpc}");
        LogListening(httpUrl, grpcUrl);
        var content = new Dictionary<string, object> { ["httpUrl"] = httpUrl, ["grpcUrl"] = grpcUrl, ["pid"] = Environment.ProcessId };
        if (addresses.Length > 2)
        {
            var httpsUrl = $"https://{Reachable(addresses[2])}:{addresses[2].Port}";
            var certificate = https.Describe();
            content["httpsUrl"] = httpsUrl;
            LogHttps(httpsUrl, certificate);
        }

        return options.Value.ReadyFile.Length == 0 ? Task.CompletedTask : WriteAsync(options.Value.ReadyFile, content, cancellationToken);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A host that listens on all addresses is reached from here on loopback.</summary>
    private static string Reachable(Uri listening) => listening.Host is "0.0.0.0" or "[::]" ? "127.0.0.1" : listening.Host;

    private static async Task WriteAsync(string path, Dictionary<string, object> content, CancellationToken cancellationToken)
    {
        // Written beside and renamed: a reader that polls never sees half of it.
        var full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        var temporary = $"{full}.{Environment.ProcessId}.tmp";
        var json = JsonSerializer.Serialize(content);
        await File.WriteAllTextAsync(temporary, json, cancellationToken);
        File.Move(temporary, full, overwrite: true);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Listening: API at {HttpUrl}, agents join at {GrpcUrl}.")]
    private partial void LogListening(string httpUrl, string grpcUrl);

    [LoggerMessage(Level = LogLevel.Information, Message = "Listening for holders of API keys: {HttpsUrl}, {Certificate}.")]
    private partial void LogHttps(string httpsUrl, string certificate);
}
