using System.Collections.Immutable;
using ClusterLlm.Coordinator.Calibration;
using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Coordinator.Comparisons.Sharing;

/// <summary>A calibration for all machines of a kind.</summary>
/// <param name="Key">Of the kind: <see cref="CalibrationRegistry.ChipKey"/>.</param>
internal sealed record ImportedCalibration(string Key, EngineCalibration Calibration);

/// <summary>Constants of machines from what others measured on their like. Pure.</summary>
internal static class ImportedCalibrations
{
    // The cache of a long prompt is read as well, and this does not know its size: short prompts only.
    private const int MostPromptTokens = 512;

    /// <summary>For every chip and engine version with two models whose layers differ in size; the others need one more model.</summary>
    public static ImmutableArray<ImportedCalibration> Of(IEnumerable<SharedMeasurement> rows) =>
    [
        .. rows.Where(row => row is { Nodes: 1, Concurrency: 1, PromptTokens: <= MostPromptTokens })
            .GroupBy(row => (Key: CalibrationRegistry.ChipKey(row.Chip, row.GpuCores), row.Engine, row.EngineVersion))
            .Select(group => Solve(group.Key.Key, [.. group])).OfType<ImportedCalibration>()
            // One version of an engine is kept for a chip: the newest measured.
            .GroupBy(one => (one.Key, one.Calibration.Engine)).Select(group => group.MaxBy(one => one.Calibration.MeasuredAt)!),
    ];

    private static ImportedCalibration? Solve(string key, SharedMeasurement[] rows)
    {
        var ordered = rows.OrderBy(row => (double)row.ActiveBytes / row.Layers).ThenBy(row => row.Model, StringComparer.Ordinal).ToArray();
        var (small, large) = (ordered[0], ordered[^1]);
        var bandwidth = ChipCatalog.BuiltIn.Find(small.Chip, small.GpuCores, 0).BandwidthBytesPerSecond;
        if (CalibrationSolver.Solve(Point(small), Point(large), bandwidth) is not { } solved)
        {
            return null;
        }

        var newest = rows.Max(row => row.MeasuredAt);
        return new ImportedCalibration(key, new EngineCalibration(
            small.Engine, small.EngineVersion, large.OperatingSystem, Math.Round(solved.BandwidthShare, 4), Math.Round(solved.LayerMilliseconds, 4), newest)
        {
            Source = string.Join(", ", ((string[])[small.Source, large.Source]).Distinct()),
        });
    }

    private static CalibrationPoint Point(SharedMeasurement row) => new(row.ActiveBytes, row.Layers, 0, 1e3 / row.DecodeTokensPerSecond);
}
