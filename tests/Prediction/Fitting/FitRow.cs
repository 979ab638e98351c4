using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Coordinator.Placement.Prediction;
using ClusterLlm.Prediction.Rows;

namespace ClusterLlm.Prediction.Fitting;

/// <summary>A measured single-node speed, ready for fitting and replay.</summary>
/// <param name="MeasuredMilliseconds">Per token (decode) or for the whole prompt (prefill).</param>
/// <param name="Band">The class whose band is claimed for it.</param>
internal sealed record FitRow(
    MeasurementRow Row,
    ModelSpec Model,
    EngineFamily Family,
    IReadOnlyList<SpeedTerm> Terms,
    double MeasuredMilliseconds,
    string Band)
{
    public Observation Observation => new([.. Terms.Select(term => (term.Name, term.Milliseconds))], MeasuredMilliseconds);

    /// <summary>Decode rows of single nodes, one request at a time.</summary>
    public static IEnumerable<FitRow> Decode(IEnumerable<MeasurementRow> rows) =>
        from row in rows
        where row.IsSingle && row.DecodeTokensPerSecond is not null && row.Concurrency == 1 && Exclusions.ReasonFromModel(row) is null
        select DecodeOf(row);

    /// <summary>Prefill rows with a prompt of 500 tokens or more: shorter ones measure launch overhead.</summary>
    public static IEnumerable<FitRow> Prefill(IEnumerable<MeasurementRow> rows) =>
        from row in rows
        where row.IsSingle && row.PrefillTokensPerSecond is not null && RowReading.PromptTokens(row) >= 500 && Exclusions.ReasonFromModel(row) is null
        select PrefillOf(row);

    public static ChipFacts Chip(MeasurementRow row)
    {
        var chip = ChipCatalog.BuiltIn.Find(row.Chip, row.GpuCores ?? 0, 0);
        return row.BandwidthGigabytesPerSecond is { } bandwidth ? chip with { BandwidthBytesPerSecond = bandwidth * 1e9 } : chip;
    }

    private static FitRow DecodeOf(MeasurementRow row)
    {
        var model = MeasuredModels.Spec(row.ModelKey, row.BitsPerWeight!.Value, row.Quant);
        var family = RowReading.Family(row)!.Value;
        var context = RowReading.ContextTokens(row);
        var work = ModelWork.Decode(model, 0, model.LayerCount, context, 1);
        return new FitRow(
            row,
            model,
            family,
            [.. DecodeTerms.Of(work, Chip(row), family, model.Traits)],
            1e3 / row.DecodeTokensPerSecond!.Value,
            BandClass.Decode(family, model.Traits, model.TotalParameters, context));
    }

    private static FitRow PrefillOf(MeasurementRow row)
    {
        var model = MeasuredModels.Spec(row.ModelKey, row.BitsPerWeight!.Value, row.Quant);
        var family = RowReading.Family(row)!.Value;
        var tokens = RowReading.PromptTokens(row)!.Value;
        var work = ModelWork.Prefill(model, 0, model.LayerCount, tokens);
        return new FitRow(
            row,
            model,
            family,
            [.. PrefillTerms.Of(work, Chip(row), family, model.Traits)],
            tokens / row.PrefillTokensPerSecond!.Value * 1e3,
            BandClass.Prefill(family, model.Traits));
    }
}
