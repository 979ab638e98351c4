using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Nodes;

/// <summary>Looks at the nodes' silence at a fixed interval.</summary>
internal sealed class NodeMonitor(NodeRegistry registry, NodeChannels channels, IOptions<NodesOptions> options, TimeProvider time)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.CheckInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                registry.AssessAll();
                channels.Prune();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }
}
