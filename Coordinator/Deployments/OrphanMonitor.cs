using ClusterLlm.Coordinator.Nodes;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Stops shards of deployments that nobody here knows, after a grace.</summary>
internal sealed partial class OrphanMonitor(
    DeploymentRegistry deployments,
    NodeRegistry nodes,
    ShardRegistry shards,
    StopStep stopping,
    IOptions<DeploymentsOptions> options,
    TimeProvider time,
    ILogger<OrphanMonitor> logger) : BackgroundService
{
    private readonly Dictionary<(string NodeId, string DeploymentId), DateTimeOffset> _seen = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await RunOnceAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var orphans = Reconciler.Orphans(ActualState.From(nodes.Current, shards.Current, now), [.. deployments.Current.Keys]);
        foreach (var gone in _seen.Keys.Except(orphans).ToArray())
        {
            _seen.Remove(gone);
        }

        foreach (var orphan in orphans)
        {
            _seen.TryAdd(orphan, now);
            if (now - _seen[orphan] >= options.Value.OrphanGrace)
            {
                LogOrphan(orphan.DeploymentId, orphan.NodeId);
                await stopping.RunAsync(orphan.DeploymentId, orphan.NodeId, 0, cancellationToken);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Node {NodeId} runs a shard of deployment {Id}, which is not known here: it is stopped.")]
    private partial void LogOrphan(string id, string nodeId);
}
