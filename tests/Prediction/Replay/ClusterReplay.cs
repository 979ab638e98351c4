using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement.Prediction;
using ClusterLlm.Prediction.Rows;

namespace ClusterLlm.Prediction.Replay;

/// <summary>A cluster row with its prediction.</summary>
internal sealed record ClusterPrediction(MeasurementRow Row, double PredictedMilliseconds, string From)
{
    public double MeasuredMilliseconds => 1e3 / Row.DecodeTokensPerSecond!.Value;

    public double SpeedError => Math.Abs((MeasuredMilliseconds / PredictedMilliseconds) - 1);
}

/// <summary>Replays cluster rows: pipelines by hops, tensor clusters by what doesn't shrink with nodes.</summary>
internal static class ClusterReplay
{
    public static IEnumerable<(MeasurementRow Row, string? Reason)> PipelineRows(ImmutableArray<MeasurementRow> rows) =>
        from row in rows
        where !row.IsSingle && row.Parallelism.StartsWith("pipeline", StringComparison.Ordinal) && row.DecodeTokensPerSecond is not null
        select (row, PipelineReason(row));

    public static IEnumerable<ClusterPrediction> Pipelines(
        ImmutableArray<MeasurementRow> rows,
        ImmutableArray<MeasurementRow> known,
        SpeedConstants constants)
    {
        foreach (var (row, reason) in PipelineRows(rows))
        {
            if (reason is null && RowSeries.PipelineBase(row, known, constants) is { } start)
            {
                var hops = (row.NodeCount - start.Nodes) * HopClass.Units(row) * constants.Hops.GetValueOrDefault(HopClass.Of(row));
                yield return new ClusterPrediction(
                    row, start.Milliseconds + hops, start.IsMeasured ? $"{start.Nodes} node(s), measured" : "one node, predicted");
            }
        }
    }

    /// <summary>4-node tensor speeds from the same series' 1 and 2 nodes: t(N) = W / N + k.</summary>
    /// <param name="rows">The replayed file: a series counts when one of its rows is in it.</param>
    public static IEnumerable<ClusterPrediction> TensorFours(
        ImmutableArray<MeasurementRow> rows,
        ImmutableArray<MeasurementRow> known,
        SpeedConstants constants)
    {
        foreach (var row in known.Where(row => row.NodeCount == 4 && row.Parallelism.StartsWith("tensor", StringComparison.Ordinal)))
        {
            var (one, two) = RowSeries.TensorBase(row, known);
            var isReplayed = rows.Any(other => other.Source == row.Source && other.ModelKey == row.ModelKey
                && (other.IsSingle || other.Parallelism.StartsWith("tensor", StringComparison.Ordinal)));
            if (two > 0 && isReplayed && row.DecodeTokensPerSecond is not null)
            {
                yield return new ClusterPrediction(row, TensorPredictor.FromMeasured(constants, one, two, 4), one > 0 ? "1 and 2 nodes" : "2 nodes and the engine's fixed part");
            }
        }
    }

    /// <summary>Tensor rows from the model alone: weights, cache and arithmetic are shared out, the cost of a layer is not, and two collectives come to it.</summary>
    public static IEnumerable<ClusterPrediction> TensorsFromModel(ImmutableArray<MeasurementRow> rows, SpeedConstants constants)
    {
        foreach (var row in TensorRows(rows))
        {
            var (shared, perLayer, layers) = TensorParts(row, constants);
            yield return new ClusterPrediction(
                row, TensorPredictor.FromModel(constants, shared, perLayer, layers, row.NodeCount), "one node, predicted");
        }
    }

    public static IEnumerable<MeasurementRow> TensorRows(ImmutableArray<MeasurementRow> rows) => rows.Where(row =>
        !row.IsSingle && row.Parallelism.StartsWith("tensor", StringComparison.Ordinal) && row.Concurrency == 1
        && row.DecodeTokensPerSecond is not null && Exclusions.ReasonFromModel(row) is null);

    public static (double Shared, double PerLayer, int Layers) TensorParts(MeasurementRow row, SpeedConstants constants)
    {
        var parts = row.Chip.Split(" + ").Select(chip =>
            Fitting.FitRow.Decode([row with { Kind = "single", Chip = chip, BandwidthGigabytesPerSecond = null }]).Single()).ToArray();
        double Sum(Func<SpeedTerm, bool> which) =>
            parts.Average(one => SpeedConstants.Sum(constants.Decode, one.Terms.Where(which)));
        return (Sum(term => term.Part != SpeedPart.Layers), Sum(term => term.Part == SpeedPart.Layers), parts[0].Model.LayerCount);
    }

    private static string? PipelineReason(MeasurementRow row) =>
        (row.Concurrency == 1 ? null : "several requests at once")
        ?? (row.Notes.Contains("ms compute", StringComparison.Ordinal) && RowReading.Family(row) is not null
            ? OnlyOneOfItsKind(row)
            : Exclusions.Reason(row));

    private static string? OnlyOneOfItsKind(MeasurementRow row) =>
        MeasurementTable.BuiltIn.Any(other => other.Id == row.Id) ? "the only row of its link: it defines the constant" : null;
}
