using System.Text.Json;
using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Hosting;

/// <summary>Says where the agent listens, in the log and in the ready file.</summary>
internal sealed partial class ListeningAnnouncer(
    AgentEndpoints endpoints,
    NodeIdentity identity,
    IOptions<NodeOptions> options,
    ILogger<ListeningAnnouncer> logger) : IHostedLifecycleService
{
    /// <summary>Runs after every hosted service has started, the web server included.</summary>
    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        LogListening(identity.Id, endpoints.GrpcUrl, endpoints.ProbeUrl);
        if (options.Value.ReadyFile is { } path)
        {
            await WriteAsync(Path.GetFullPath(path), cancellationToken).ConfigureAwait(false);
        }

        endpoints.MarkListening();
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Written beside and moved: a watcher that sees the file reads all of it.</summary>
    private async Task WriteAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var content = new Dictionary<string, object>
            {
                ["grpcUrl"] = endpoints.GrpcUrl.GetLeftPart(UriPartial.Authority),
                ["probeUrl"] = endpoints.ProbeUrl.GetLeftPart(UriPartial.Authority),
                ["pid"] = Environment.ProcessId,
            };
            var temporary = $"{path}.{Environment.ProcessId}";
            await File.WriteAllTextAsync(temporary, JsonSerializer.Serialize(content), cancellationToken).ConfigureAwait(false);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"Node:ReadyFile is '{path}', which can't be written: {error.Message}");
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Node {NodeId} listens for gRPC on {GrpcUrl}, for probes on {ProbeUrl}")]
    private partial void LogListening(string nodeId, Uri grpcUrl, Uri probeUrl);
}
