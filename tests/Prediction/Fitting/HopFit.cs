using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement.Prediction;
using ClusterLlm.Prediction.Replay;
using ClusterLlm.Prediction.Rows;

namespace ClusterLlm.Prediction.Fitting;

/// <summary>Cluster constants: the median of what each row implies, since there are few rows and each class has its own set-up.</summary>
internal static class HopFit
{
    public static ImmutableSortedDictionary<string, double> Fit(ImmutableArray<MeasurementRow> rows, SpeedConstants single)
    {
        var implied = new List<(string Name, double Value)>();
        foreach (var row in rows.Where(row => !row.IsSingle && row.Concurrency == 1 && row.DecodeTokensPerSecond is not null && RowReading.Family(row) is not null))
        {
            if (row.Parallelism.StartsWith("pipeline", StringComparison.Ordinal) && IsUsable(row) && RowSeries.PipelineBase(row, rows, single) is { } start)
            {
                var hops = (row.NodeCount - start.Nodes) * HopClass.Units(row);
                implied.Add((HopClass.Of(row), Math.Max(0, ((1e3 / row.DecodeTokensPerSecond!.Value) - start.Milliseconds) / hops)));
            }
        }

        implied.AddRange(ClusterReplay.TensorRows(rows).Select(row =>
        {
            var (shared, perLayer, layers) = ClusterReplay.TensorParts(row, single);
            var rest = (1e3 / row.DecodeTokensPerSecond!.Value) - (shared / row.NodeCount) - perLayer;
            return (TensorPredictor.CollectivesPerLayer, Math.Max(0, rest / layers));
        }));
        implied.AddRange(Fixed(rows));
        return implied.GroupBy(one => one.Name).ToImmutableSortedDictionary(
            group => group.Key, group => Math.Round(Statistics.Median(group.Select(one => one.Value)), 4), StringComparer.Ordinal);
    }

    private static bool IsUsable(MeasurementRow row) =>
        row.Notes.Contains("ms compute", StringComparison.Ordinal) || Exclusions.Reason(row) is null;

    /// <summary>k of t(N) = W / N + k for series with 1 and 2 nodes.</summary>
    private static IEnumerable<(string Name, double Value)> Fixed(ImmutableArray<MeasurementRow> rows) =>
        from row in rows
        where row.NodeCount == 2 && row.Parallelism.StartsWith("tensor", StringComparison.Ordinal) && row.DecodeTokensPerSecond is not null
            && Exclusions.Reason(row) is null && MeasuredModels.Spec(row.ModelKey, 4, "").TotalParameters > 200e9
        let one = RowSeries.TensorBase(row, rows).One
        where one > 0
        select (TensorPredictor.FixedGiantMixture, (2e3 / row.DecodeTokensPerSecond!.Value) - one);
}
