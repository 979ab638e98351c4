using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement.Prediction;
using ClusterLlm.Prediction.Fitting;
using ClusterLlm.Prediction.Rows;

namespace ClusterLlm.Prediction.Replay;

/// <summary>One row of a group: how far off the prediction was, as a share.</summary>
internal sealed record GroupedError(string Group, string RowId, double Measured, double PredictedSpeed)
{
    public double Error => Math.Abs((PredictedSpeed / Measured) - 1);
}

/// <summary>A replay of a table: errors by group, band coverage, and what was left out.</summary>
internal sealed record PredictorReport(
    ImmutableArray<GroupedError> Errors,
    double BandCoverage,
    int BandRows,
    ImmutableArray<(string RowId, string Reason)> Excluded)
{
    /// <summary>The groups with the error that their median must not pass, in percent; the issue that asked for them named them.</summary>
    public static ImmutableArray<(string Group, double? Limit)> Groups { get; } =
    [
        ("dense 60B+", 6), ("dense MLX 14B+", 6), ("MoE MLX 60B+", 12), ("MoE MLX", null), ("dense llama.cpp", 8),
        ("pipeline", 12), ("tensor 4 from 2", 3), ("prefill dense", 10), ("prefill MoE", null), ("tensor from the model", null),
    ];

    public static PredictorReport Replay(ImmutableArray<MeasurementRow> rows, SpeedConstants constants)
    {
        // Rows of the same series in the built-in table are calibrations for the ones in another file.
        ImmutableArray<MeasurementRow> known = [.. rows, .. MeasurementTable.BuiltIn.ExceptBy(rows.Select(row => row.Id), row => row.Id)];
        var decode = SpeedFit.Predict(FitRow.Decode(rows), constants.Decode).ToArray();
        var prefill = SpeedFit.Predict(FitRow.Prefill(rows), constants.Prefill).ToArray();
        var pipelines = ClusterReplay.Pipelines(rows, known, constants).ToArray();
        Predicted[] banded = [.. decode, .. prefill];
        return new PredictorReport(
            [
                .. decode.SelectMany(one => DecodeGroups(one.Row).Select(group => Grouped(group, one, 1))),
                .. prefill.Select(one => Grouped(one.Row.Model.IsMixtureOfExperts ? "prefill MoE" : "prefill dense", one, RowReading.PromptTokens(one.Row.Row)!.Value)),
                .. pipelines.Select(one => Grouped("pipeline", one)),
                .. ClusterReplay.TensorFours(rows, known, constants).Select(one => Grouped("tensor 4 from 2", one)),
                .. ClusterReplay.TensorsFromModel(rows, constants).Select(one => Grouped("tensor from the model", one)),
            ],
            banded.Length == 0 ? double.NaN : 100.0 * banded.Count(one => IsInside(one, constants)) / banded.Length,
            banded.Length,
            [.. LeftOut(rows, [.. pipelines.Select(one => one.Row.Id)])]);
    }

    public double Median(string group) => 100 * Statistics.Median(Errors.Where(one => one.Group == group).Select(one => one.Error));

    public int Count(string group) => Errors.Count(one => one.Group == group);

    public static IEnumerable<string> DecodeGroups(FitRow row)
    {
        var isMlx = row.Family == EngineFamily.Mlx;
        var isBig = row.Model.TotalParameters >= 60e9;
        if (row.Model.IsMixtureOfExperts)
        {
            if (isMlx)
            {
                yield return "MoE MLX";
            }

            if (isMlx && isBig)
            {
                yield return "MoE MLX 60B+";
            }

            yield break;
        }

        if (isBig && row.Family != EngineFamily.LlamaCppEarly)
        {
            yield return "dense 60B+";
        }

        if (isMlx && row.Model.TotalParameters >= 14e9)
        {
            yield return "dense MLX 14B+";
        }

        if (!isMlx)
        {
            yield return "dense llama.cpp";
        }
    }

    private static bool IsInside(Predicted one, SpeedConstants constants)
    {
        var band = constants.Band(one.Row.Band);
        return one.Ratio >= band.Low && one.Ratio <= band.High;
    }

    private static GroupedError Grouped(string group, Predicted one, double tokens) =>
        new(group, one.Row.Row.Id, tokens * 1e3 / one.Row.MeasuredMilliseconds, tokens * 1e3 / one.Milliseconds);

    private static GroupedError Grouped(string group, ClusterPrediction one) =>
        new(group, one.Row.Id, 1e3 / one.MeasuredMilliseconds, 1e3 / one.PredictedMilliseconds);

    private static IEnumerable<(string RowId, string Reason)> LeftOut(ImmutableArray<MeasurementRow> rows, ImmutableHashSet<string> pipelines)
    {
        foreach (var row in rows)
        {
            var isPipeline = !row.IsSingle && row.Parallelism.StartsWith("pipeline", StringComparison.Ordinal);
            var reason = isPipeline
                ? PipelineReason(row, pipelines)
                : Exclusions.ReasonFromModel(row) ?? (row.Concurrency == 1 ? null : "several requests at once");
            reason ??= row.IsSingle || isPipeline || row.Parallelism.StartsWith("tensor", StringComparison.Ordinal)
                ? null
                : $"parallelism is {row.Parallelism}";
            if (reason is not null)
            {
                yield return (row.Id, reason);
            }
        }
    }

    private static string? PipelineReason(MeasurementRow row, ImmutableHashSet<string> pipelines) =>
        ClusterReplay.PipelineRows([row]).Select(one => one.Reason).FirstOrDefault()
        ?? (pipelines.Contains(row.Id) ? null : "no row on fewer nodes, and bits per weight are not published");
}
