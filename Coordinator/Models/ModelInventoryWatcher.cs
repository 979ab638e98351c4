using ClusterLlm.Coordinator.Nodes;
using Grpc.Core;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Models;

/// <summary>Asks every node for its models when it joins and now and then after that.</summary>
internal sealed class ModelInventoryWatcher(
    NodeRegistry nodes,
    NodeLoops loops,
    ModelRegistry models,
    ModelClient client,
    IOptions<ModelsOptions> options,
    TimeProvider time) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => loops.RunAsync(
        "model inventory",
        WatchAsync,
        _ => models.KeepOnly(nodes.Current.Keys.ToHashSet(StringComparer.Ordinal)),
        stoppingToken);

    private async Task WatchAsync(NodeSnapshot node, CallInvoker invoker, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(options.Value.RefreshInterval, time);
        do
        {
            models.Report(await client.ListAsync(node, invoker, cancellationToken));
            models.KeepOnly(nodes.Current.Keys.ToHashSet(StringComparer.Ordinal));
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }
}
