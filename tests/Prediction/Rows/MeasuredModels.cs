using System.Globalization;
using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Prediction.Rows;

/// <summary>The geometry of the models that were measured (Data/models.csv), as the planner's <see cref="ModelSpec"/>.</summary>
internal static class MeasuredModels
{
    private static readonly Dictionary<string, Dictionary<string, string>> Geometry = Load();

    public static bool Knows(string modelKey) =>
        Geometry.TryGetValue(modelKey, out var row) && CsvTable.Number(row, "layers") > 0 && CsvTable.Number(row, "params_active_b") > 0;

    /// <param name="bitsPerWeight">On average over the file, scales included.</param>
    /// <param name="quant">The row's quantization: says how weights are packed.</param>
    public static ModelSpec Spec(string modelKey, double bitsPerWeight, string quant)
    {
        var row = Geometry[modelKey];
        int Whole(string column) => (int)(CsvTable.Number(row, column) ?? 0);
        var total = CsvTable.Number(row, "params_total_b")!.Value * 1e9;
        var active = CsvTable.Number(row, "params_active_b")!.Value * 1e9;
        var isMoe = Whole("moe") == 1;
        var hidden = Whole("hidden");
        var layers = Whole("layers");

        // A mixture's vendor figure counts what one token passes; a dense model's counts the embedding too, of which one row is read.
        var embedding = isMoe || Whole("tied") == 1 ? 0 : (double)Whole("vocabulary") * hidden;
        var perParameter = bitsPerWeight / 8;
        var layer = new LayerSpec(
            (long)((total - embedding) * perParameter / layers), (long)((active - embedding) * perParameter / layers), 0, 0, 0);
        return new ModelSpec(
            modelKey,
            "",
            "",
            [.. Enumerable.Range(0, layers).Select(index => WithCache(layer, row, index))],
            (long)(embedding * perParameter),
            0,
            0,
            false,
            hidden,
            0,
            0,
            Whole("kv_heads_or_1_for_mla"),
            Whole("head_dim_or_mla_width"),
            Whole("vocabulary"),
            0,
            bitsPerWeight,
            total,
            active)
        {
            Format = FormatOf(quant),
        };
    }

    private static LayerSpec WithCache(LayerSpec layer, Dictionary<string, string> row, int index)
    {
        var heads = int.Parse(row["kv_heads_or_1_for_mla"], CultureInfo.InvariantCulture);
        var width = int.Parse(row["head_dim_or_mla_width"], CultureInfo.InvariantCulture);
        var every = int.Parse(row["full_every"], CultureInfo.InvariantCulture);
        var isFull = (index + 1) % every == 0;
        return row["attention"] switch
        {
            "latent" => layer with { KvElementsPerToken = width, IsLatent = true },
            "hybrid" when !isFull => layer with { StateElements = 1 },
            "sliding" when !isFull => layer with
            {
                KvElementsPerToken = 2 * heads * width,
                KvWindowTokens = int.Parse(row["window_tokens"], CultureInfo.InvariantCulture),
            },
            _ => layer with { KvElementsPerToken = 2 * heads * width },
        };
    }

    private static WeightFormat FormatOf(string quant) =>
        quant.Contains("F16", StringComparison.OrdinalIgnoreCase) || quant.Contains("FP16", StringComparison.OrdinalIgnoreCase)
            ? WeightFormat.Half
            : quant.Contains("_K", StringComparison.Ordinal) || quant.Contains("Ollama", StringComparison.Ordinal) || quant.Contains("UD-", StringComparison.Ordinal)
                ? WeightFormat.KQuant
                : WeightFormat.Simple;

    private static Dictionary<string, Dictionary<string, string>> Load()
    {
        using var text = new StringReader(PredictionData.Read("models.csv"));
        return CsvTable.Read(text, "models.csv", "model_key", "layers", "hidden", "attention")
            .ToDictionary(row => row["model_key"], StringComparer.Ordinal);
    }
}
