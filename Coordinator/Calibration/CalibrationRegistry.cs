using System.Collections.Immutable;
using ClusterLlm.Coordinator.Data;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Coordinator.Placement.Prediction;
using Microsoft.EntityFrameworkCore;

namespace ClusterLlm.Coordinator.Calibration;

/// <summary>What was measured on machines and links: in memory for planning, on disk over restarts.</summary>
internal sealed class CalibrationRegistry(IDbContextFactory<CoordinatorDbContext> contexts)
{
    private ImmutableDictionary<(string NodeId, string Engine), EngineCalibration> _machines = ImmutableDictionary<(string, string), EngineCalibration>.Empty;
    private ImmutableDictionary<(string From, string To), LinkMeasurement> _links = ImmutableDictionary<(string, string), LinkMeasurement>.Empty;

    public ImmutableArray<LinkMeasurement> Links => [.. _links.Values.OrderBy(link => (link.FromNodeId, link.ToNodeId))];

    /// <summary>
    /// Of a node, as long as engine and operating system are still those that were measured; else what others measured on machines with its chip and the same engine version.
    /// </summary>
    public ImmutableArray<EngineCalibration> Of(NodeSnapshot node)
    {
        var own = Known(node.NodeId).Where(calibration => !IsStale(calibration, node)).ToArray();
        var shared = Known(ChipKey(node.Facts.Chip, node.Facts.GpuCores))
            .Where(calibration => !IsOtherVersion(calibration, node) && own.All(known => known.Engine != calibration.Engine));
        return [.. own.Concat(shared).OrderBy(calibration => calibration.Engine, StringComparer.Ordinal)];
    }

    /// <summary>The key of calibrations that hold for every machine of a kind.</summary>
    public static string ChipKey(string chip, int gpuCores) => FormattableString.Invariant($"chip:{chip.Replace("Apple ", "", StringComparison.OrdinalIgnoreCase).ToUpperInvariant()}/{gpuCores}");

    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var machines = await context.Calibrations.AsNoTracking().ToListAsync(cancellationToken);
        var links = await context.Links.AsNoTracking().ToListAsync(cancellationToken);
        _machines = machines.ToImmutableDictionary(row => (row.NodeId, row.Engine), row => new EngineCalibration(
            row.Engine, row.EngineVersion, row.OperatingSystem, row.BandwidthShare, row.LayerMilliseconds, DateTimeOffset.FromUnixTimeMilliseconds(row.MeasuredAtUnixMs))
        {
            Source = row.Source,
        });
        _links = links.ToImmutableDictionary(row => (row.FromNodeId, row.ToNodeId), row => new LinkMeasurement(
            row.FromNodeId, row.ToNodeId, TimeSpan.FromMilliseconds(row.RoundTripMilliseconds), row.BandwidthBytesPerSecond));
    }

    public async Task SaveAsync(string nodeId, EngineCalibration calibration, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        await context.Calibrations.Where(row => row.NodeId == nodeId && row.Engine == calibration.Engine).ExecuteDeleteAsync(cancellationToken);
        context.Calibrations.Add(new CalibrationRow
        {
            NodeId = nodeId,
            Engine = calibration.Engine,
            EngineVersion = calibration.EngineVersion,
            OperatingSystem = calibration.OperatingSystem,
            BandwidthShare = calibration.BandwidthShare,
            LayerMilliseconds = calibration.LayerMilliseconds,
            MeasuredAtUnixMs = calibration.MeasuredAt.ToUnixTimeMilliseconds(),
            Source = calibration.Source,
        });
        await context.SaveChangesAsync(cancellationToken);
        ImmutableInterlocked.AddOrUpdate(ref _machines, (nodeId, calibration.Engine), calibration, (_, _) => calibration);
    }

    public async Task SaveAsync(LinkMeasurement link, DateTimeOffset measuredAt, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        await context.Links.Where(row => row.FromNodeId == link.FromNodeId && row.ToNodeId == link.ToNodeId).ExecuteDeleteAsync(cancellationToken);
        context.Links.Add(new LinkRow
        {
            FromNodeId = link.FromNodeId,
            ToNodeId = link.ToNodeId,
            RoundTripMilliseconds = link.RoundTrip.TotalMilliseconds,
            BandwidthBytesPerSecond = link.BandwidthBytesPerSecond,
            MeasuredAtUnixMs = measuredAt.ToUnixTimeMilliseconds(),
        });
        await context.SaveChangesAsync(cancellationToken);
        ImmutableInterlocked.AddOrUpdate(ref _links, (link.FromNodeId, link.ToNodeId), link, (_, _) => link);
    }

    private IEnumerable<EngineCalibration> Known(string key) => _machines.Where(pair => pair.Key.NodeId == key).Select(pair => pair.Value);

    private static bool IsStale(EngineCalibration calibration, NodeSnapshot node) =>
        node.Facts.OperatingSystem != calibration.OperatingSystem || IsOtherVersion(calibration, node);

    private static bool IsOtherVersion(EngineCalibration calibration, NodeSnapshot node) =>
        node.Facts.Engines.FirstOrDefault(engine => engine.Name == calibration.Engine) is not { } engine
        || engine.Version != calibration.EngineVersion;
}
