using ClusterLlm.Coordinator.Nodes;

namespace ClusterLlm.Coordinator.Calibration;

/// <summary>Watches what rank 0 of each deployment measures, and keeps it.</summary>
internal sealed partial class SpeedRecorder(NodeRegistry nodes, SpeedHistory history, TimeProvider time, ILogger<SpeedRecorder> logger) : BackgroundService
{
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await history.LoadAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var changes = nodes.Subscribe();
        try
        {
            await foreach (var all in changes.AllAsync(stoppingToken))
            {
                await RunOnceAsync(all.Values, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task RunOnceAsync(IEnumerable<NodeSnapshot> all, CancellationToken cancellationToken)
    {
        foreach (var shard in all.SelectMany(node => node.Reading?.Shards ?? []))
        {
            // One request at a time: that is what the prediction is of.
            if (shard is { Rank: 0, RunningRequests: 1, DecodeTokensPerSecond: > 0 })
            {
                try
                {
                    await history.NoteAsync(shard.DeploymentId, shard.DecodeTokensPerSecond, time.GetUtcNow(), cancellationToken);
                }
                catch (Microsoft.EntityFrameworkCore.DbUpdateException e)
                {
                    LogNotKept(shard.DeploymentId, e);
                }
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "The measured speed of deployment {DeploymentId} could not be kept.")]
    private partial void LogNotKept(string deploymentId, Exception exception);
}
