using System.Collections.Immutable;
using ClusterLlm.Coordinator.Catalog;

namespace ClusterLlm.Prediction.Rows;

/// <summary>Reads measurement tables: the one in Data, or another file with the same columns.</summary>
internal static class MeasurementTable
{
    public static ImmutableArray<MeasurementRow> BuiltIn { get; } = Parse(PredictionData.Read("measurements.csv"), "measurements.csv");

    public static ImmutableArray<MeasurementRow> Load(string path) => Parse(File.ReadAllText(path), path);

    /// <exception cref="InvalidDataException">A needed column is missing.</exception>
    public static ImmutableArray<MeasurementRow> Parse(string csv, string name)
    {
        using var text = new StringReader(csv);
        var rows = CsvTable.Read(
            text, name, "id", "kind", "chip", "engine", "model_key", "bits_per_weight", "context_prompt_tokens", "decode_tok_s", "prefill_tok_s", "n_nodes");
        return [.. rows.Select(Row)];
    }

    private static MeasurementRow Row(Dictionary<string, string> row)
    {
        string Text(string column) => row.GetValueOrDefault(column, "").Trim();
        double? Number(string column) => CsvTable.Number(row, column);
        return new MeasurementRow(
            Text("id"),
            Text("id").Split('-')[0],
            Text("kind"),
            Text("nodes"),
            Text("chip"),
            (int?)Number("gpu_cores"),
            Text("memory_gb"),
            Number("mem_bandwidth_gbs"),
            Text("link"),
            Text("parallelism"),
            Text("engine"),
            Text("model_key"),
            Text("quant"),
            Number("bits_per_weight"),
            Text("context_prompt_tokens"),
            Text("batch_concurrency"),
            Positive(Number("decode_tok_s")),
            Positive(Number("prefill_tok_s")),
            Number("memory_gb_used"),
            (int)(Number("n_nodes") ?? 1),
            Text("notes"));
    }

    private static double? Positive(double? value) => value > 0 ? value : null;
}
