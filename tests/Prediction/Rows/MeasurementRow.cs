namespace ClusterLlm.Prediction.Rows;

/// <summary>One published measurement, as the table has it. Empty fields are <see langword="null"/>.</summary>
/// <param name="Source">First part of the id: rows of one author share it.</param>
internal sealed record MeasurementRow(
    string Id,
    string Source,
    string Kind,
    string Nodes,
    string Chip,
    int? GpuCores,
    string Memory,
    double? BandwidthGigabytesPerSecond,
    string Link,
    string Parallelism,
    string Engine,
    string ModelKey,
    string Quant,
    double? BitsPerWeight,
    string ContextAndPrompt,
    string Batch,
    double? DecodeTokensPerSecond,
    double? PrefillTokensPerSecond,
    double? MemoryUsedGigabytes,
    int NodeCount,
    string Notes)
{
    public bool IsSingle => Kind == "single";

    /// <summary>Requests at once; <see langword="null"/> when the field is no plain number.</summary>
    public int? Concurrency => Batch.Length == 0 ? 1 : int.TryParse(Batch, out var number) ? number : null;
}
