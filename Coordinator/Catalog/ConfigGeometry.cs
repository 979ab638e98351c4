using System.Text.Json;

namespace ClusterLlm.Coordinator.Catalog;

/// <summary>The fields of config.json that an agent's description doesn't carry.</summary>
/// <param name="IntermediateSize">0 when the file doesn't say.</param>
/// <param name="WeightBits">Bits per weight with scales and biases; 16 when the file names no quantization.</param>
internal readonly record struct ConfigGeometry(int IntermediateSize, double WeightBits)
{
    public static ConfigGeometry Parse(string configJson)
    {
        if (string.IsNullOrWhiteSpace(configJson))
        {
            return new ConfigGeometry(0, 16);
        }

        using var document = JsonDocument.Parse(configJson);
        var root = document.RootElement;
        return new ConfigGeometry(Number(root, "intermediate_size"), Bits(root));
    }

    private static double Bits(JsonElement root)
    {
        if (root.TryGetProperty("quantization", out var quantization) && quantization.ValueKind == JsonValueKind.Object)
        {
            var bits = Number(quantization, "bits");
            var group = Number(quantization, "group_size");
            // MLX affine: one 16-bit scale and one 16-bit bias per group.
            return bits > 0 && group > 0 ? bits + (32.0 / group) : 16;
        }

        return root.TryGetProperty("torch_dtype", out var type) && type.ValueKind == JsonValueKind.String && type.GetString() == "float32" ? 32 : 16;
    }

    private static int Number(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : 0;
}
