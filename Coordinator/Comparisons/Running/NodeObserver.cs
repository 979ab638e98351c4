using System.Collections.Immutable;
using ClusterLlm.Coordinator.Nodes;

namespace ClusterLlm.Coordinator.Comparisons.Running;

/// <summary>Watches all nodes while a candidate is measured: memory, heat, power, and work that does not belong there.</summary>
internal sealed class NodeObserver : IAsyncDisposable
{
    private static readonly ImmutableArray<string> Pressures = ["unknown", "normal", "warning", "critical"];
    private static readonly ImmutableArray<string> Heats = ["unknown", "nominal", "fair", "serious", "critical"];

    private readonly NodeRegistry _nodes;
    private readonly ImmutableHashSet<string> _own;
    private readonly string _deploymentId;
    private readonly ImmutableHashSet<string> _parts;
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, NodeUse> _uses = new(StringComparer.Ordinal);
    private readonly PowerAverages _power = new();
    private readonly Task _watching;
    private string? _disturbance;

    /// <param name="own">Deployments of the comparison.</param>
    /// <param name="deploymentId">The candidate's.</param>
    /// <param name="parts">Nodes of the candidate.</param>
    public NodeObserver(NodeRegistry nodes, ImmutableHashSet<string> own, string deploymentId, IEnumerable<string> parts)
    {
        (_nodes, _own, _deploymentId, _parts) = (nodes, own, deploymentId, [.. parts]);
        Look(nodes.Current.Values);
        _watching = WatchAsync();
    }

    public ImmutableArray<NodeUse> Uses
    {
        get
        {
            lock (_gate)
            {
                return [.. _uses.Values.OrderBy(use => use.Node, StringComparer.Ordinal)];
            }
        }
    }

    /// <summary>Work of others since the last call; <see langword="null"/> when there was none.</summary>
    public string? TakeDisturbance()
    {
        Look(_nodes.Current.Values);
        lock (_gate)
        {
            (var found, _disturbance) = (_disturbance, null);
            return found;
        }
    }

    /// <summary>Mean watts of the machines of the candidate's nodes since the last call; <see langword="null"/> when one of them told none.</summary>
    public double? TakePower()
    {
        lock (_gate)
        {
            return _power.Take(_parts);
        }
    }

    /// <summary>What a node does that is none of the comparison's; <see langword="null"/> when it is idle but for that.</summary>
    public static string? ForeignWork(NodeSnapshot node, ImmutableHashSet<string> own) =>
        node.Reading?.Shards.FirstOrDefault(shard => !own.Contains(shard.DeploymentId) && shard.RunningRequests + shard.QueuedRequests > 0) is { } busy
            ? $"{node.NodeId} served requests of another deployment ({busy.DeploymentId})"
            : null;

    /// <summary>Two visits of one candidate together.</summary>
    public static ImmutableArray<NodeUse> Join(ImmutableArray<NodeUse> one, ImmutableArray<NodeUse> other) =>
        [.. one.Concat(other).GroupBy(use => use.Node).Select(group => group.Aggregate(Worse)).OrderBy(use => use.Node, StringComparer.Ordinal)];

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
    }

    private static NodeUse Worse(NodeUse one, NodeUse other) => new(
        one.Node,
        one.IsPart || other.IsPart,
        Math.Max(one.PeakEngineBytes, other.PeakEngineBytes),
        Higher(Pressures, one.WorstPressure, other.WorstPressure),
        Higher(Heats, one.WorstThermal, other.WorstThermal),
        one.HighestCelsius is { } a && other.HighestCelsius is { } b ? Math.Max(a, b) : one.HighestCelsius ?? other.HighestCelsius);

    private static string Higher(ImmutableArray<string> order, string one, string other) => order.IndexOf(one) >= order.IndexOf(other) ? one : other;

    private async Task WatchAsync()
    {
        using var changes = _nodes.Subscribe();
        await foreach (var all in changes.ChangesAsync(_end.Token))
        {
            Look(all.Values);
        }
    }

    private void Look(IEnumerable<NodeSnapshot> nodes)
    {
        lock (_gate)
        {
            foreach (var node in nodes)
            {
                _disturbance ??= ForeignWork(node, _own);
                if (node.Reading is { } reading)
                {
                    _power.Add(node.NodeId, node.Facts.MachineId, reading);
                    // Other candidates stay loaded beside it; theirs is not its memory.
                    var held = reading.Shards.Where(shard => shard.DeploymentId == _deploymentId).Sum(shard => shard.MemoryBytes);
                    var use = new NodeUse(
                        node.NodeId, _parts.Contains(node.NodeId), held, reading.MemoryPressure, reading.ThermalState, reading.TemperatureCelsius);
                    _uses[node.NodeId] = _uses.TryGetValue(node.NodeId, out var before) ? Worse(before, use) : use;
                }
            }
        }
    }
}
