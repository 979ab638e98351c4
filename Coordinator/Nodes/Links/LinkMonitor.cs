using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Nodes.Links;

/// <summary>Measures the links of nodes when they come, and when their addresses change, where there is a choice to make.</summary>
internal sealed partial class LinkMonitor(NodeRegistry nodes, LinkRegistry registry, AddressProber prober, ILogger<LinkMonitor> logger) : BackgroundService
{
    // Keys of both ends at the time of measuring.
    private readonly Dictionary<(string From, string To), string> _measured = [];

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await registry.LoadAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var changes = nodes.Subscribe();
        try
        {
            await foreach (var all in changes.AllAsync(stoppingToken))
            {
                await RunOnceAsync(all, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>Measures each pair that is new. Readings come in all the time, so most rounds find none.</summary>
    private async Task RunOnceAsync(ImmutableSortedDictionary<string, NodeSnapshot> all, CancellationToken cancellationToken)
    {
        foreach (var (from, to) in LinkPairs.WithChoice(all.Values))
        {
            var key = $"{from.LinkKey} {to.LinkKey}";
            if (_measured.GetValueOrDefault((from.NodeId, to.NodeId)) == key)
            {
                continue;
            }

            _measured[(from.NodeId, to.NodeId)] = key;
            var before = registry.Decide(from, to).Url;
            await prober.MeasureAsync(from, to, cancellationToken);
            var decision = registry.Decide(from, to);
            LogLink(from.NodeId, to.NodeId, decision.Url ?? "-", decision.Reason, before == decision.Url ? "as before" : $"was {before}");
        }
    }

    [LoggerMessage(LogLevel.Information, "From {From} to {To} by {Url}: {Reason} ({Change}).")]
    private partial void LogLink(string from, string to, string url, string reason, string change);
}

/// <summary>Pairs of nodes that can reach each other in several ways. Pure.</summary>
internal static class LinkPairs
{
    public static IEnumerable<(NodeSnapshot From, NodeSnapshot To)> WithChoice(IEnumerable<NodeSnapshot> all)
    {
        var usable = all.Where(node => node.IsUsable).ToArray();
        return from one in usable
               from other in usable
               where one.NodeId != other.NodeId && one.Facts.MachineId != other.Facts.MachineId && NodeAddresses.ForOthers(other).Length > 1
               select (one, other);
    }
}
