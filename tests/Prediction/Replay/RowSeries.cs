using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using ClusterLlm.Coordinator.Placement.Prediction;
using ClusterLlm.Prediction.Fitting;
using ClusterLlm.Prediction.Rows;

namespace ClusterLlm.Prediction.Replay;

/// <summary>
/// Where a cluster's prediction starts from: a measurement of the same author, engine and model on fewer nodes, which is a calibration; else
/// what the model says of one node.
/// </summary>
/// <param name="Milliseconds">Per token, on <paramref name="Nodes"/> nodes.</param>
/// <param name="IsMeasured">False when it comes from the constants.</param>
internal sealed record ClusterBase(double Milliseconds, int Nodes, bool IsMeasured);

/// <summary>Finds rows that belong together.</summary>
internal static partial class RowSeries
{
    /// <param name="row">A pipeline row.</param>
    /// <param name="known">All rows at hand: the replayed file and the built-in one.</param>
    public static ClusterBase? PipelineBase(MeasurementRow row, ImmutableArray<MeasurementRow> known, SpeedConstants constants)
    {
        // The reporter timed the computing part by himself.
        if (Compute().Match(row.Notes) is { Success: true } compute)
        {
            return new ClusterBase(double.Parse(compute.Groups[1].ValueSpan, CultureInfo.InvariantCulture), 1, true);
        }

        var smaller = known.Where(other => IsSameSeries(row, other) && other.NodeCount < row.NodeCount
            && (other.IsSingle || other.Parallelism.StartsWith("pipeline", StringComparison.Ordinal))).ToArray();
        if (smaller.Length > 0)
        {
            var nodes = smaller.Max(other => other.NodeCount);
            var nearest = smaller.Where(other => other.NodeCount == nodes).ToArray();
            var chips = row.Chip.Split(" + ");
            var fitting = nearest.Where(other => chips.Contains(other.Chip)).ToArray();
            return new ClusterBase((fitting.Length > 0 ? fitting : nearest).Average(other => 1e3 / other.DecodeTokensPerSecond!.Value), nodes, true);
        }

        return Exclusions.ReasonFromModel(row) is null ? new ClusterBase(FromModel(row, constants), 1, false) : null;
    }

    /// <summary>Single, 2-node and 4-node times of the series that a tensor row with 4 nodes belongs to; 0 where there is none.</summary>
    public static (double One, double Two) TensorBase(MeasurementRow row, ImmutableArray<MeasurementRow> known)
    {
        double Time(Func<MeasurementRow, bool> which) =>
            known.FirstOrDefault(other => IsSameSeries(row, other) && which(other)) is { } found ? 1e3 / found.DecodeTokensPerSecond!.Value : 0;
        return (Time(other => other.IsSingle), Time(other => other.NodeCount == 2 && other.Parallelism.StartsWith("tensor", StringComparison.Ordinal)));
    }

    /// <summary>One node's decode time by the constants, averaged over the chips of the row (equal shares of the layers).</summary>
    public static double FromModel(MeasurementRow row, SpeedConstants constants) => row.Chip.Split(" + ").Average(chip =>
    {
        var one = FitRow.Decode([row with { Kind = "single", Chip = chip, Batch = "1", BandwidthGigabytesPerSecond = null }]).Single();
        return SpeedConstants.Sum(constants.Decode, one.Terms);
    });

    private static bool IsSameSeries(MeasurementRow row, MeasurementRow other) =>
        other.Source == row.Source
        && other.ModelKey == row.ModelKey
        && RowReading.Family(other) == RowReading.Family(row)
        && other.Concurrency == 1
        && other.DecodeTokensPerSecond is not null
        && other.Id != row.Id;

    [GeneratedRegex(@"~(\d+) ms compute")]
    private static partial Regex Compute();
}
