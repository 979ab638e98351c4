using System.Text.Json;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Hosting;

/// <summary>Notes the bound ports once the server listens, and writes them to the ready file if one is asked for.</summary>
internal sealed partial class ReadyFile(
    IServer server, ListeningPorts ports, IOptions<ClusterOptions> options, ILogger<ReadyFile> logger) : IHostedLifecycleService
{
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        // In the order of the Listen calls: HTTP, then gRPC. An in-process test server has no such addresses.
        var addresses = server.Features.Get<IServerAddressesFeature>()?.Addresses.Select(address => new Uri(address)).ToArray() ?? [];
        if (addresses.Length != 2 || addresses.Any(address => address.Port is 0))
        {
            return Task.CompletedTask;
        }

        (ports.Http, ports.Grpc) = (addresses[0].Port, addresses[1].Port);
        var (httpUrl, grpcUrl) = ($"http://127.0.0.1:{ports.Http}", $"http://127.0.0.1:{ports.Grpc}");
        LogListening(httpUrl, grpcUrl);
        return options.Value.ReadyFile.Length == 0 ? Task.CompletedTask : WriteAsync(options.Value.ReadyFile, httpUrl, grpcUrl, cancellationToken);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static async Task WriteAsync(string path, string httpUrl, string grpcUrl, CancellationToken cancellationToken)
    {
        // Written beside and renamed: a reader that polls never sees half of it.
        var full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        var temporary = $"{full}.{Environment.ProcessId}.tmp";
        var json = JsonSerializer.Serialize(new { httpUrl, grpcUrl, pid = Environment.ProcessId });
        await File.WriteAllTextAsync(temporary, json, cancellationToken);
        File.Move(temporary, full, overwrite: true);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Listening: API at {HttpUrl}, agents join at {GrpcUrl}.")]
    private partial void LogListening(string httpUrl, string grpcUrl);
}
