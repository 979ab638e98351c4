using System.Collections.Immutable;
using System.Text.Json;

namespace ClusterLlm.ModelFiles;

/// <summary>How one module's weights are packed.</summary>
/// <param name="GroupSize">Weights that share a scale and a bias.</param>
/// <param name="Mode">MLX's name: <c>affine</c>, <c>mxfp4</c>, …</param>
public sealed record WeightPacking(int GroupSize, int Bits, string Mode);

/// <summary>The <c>quantization</c> object of a config.json.</summary>
/// <param name="Method"><c>mlx</c>, or another method's name (<c>gptq</c>, <c>awq</c>, <c>fp8</c>, …) as <c>quantization_config</c> says.</param>
/// <param name="Default">What modules without an entry of their own have; null for other methods than <c>mlx</c>.</param>
/// <param name="Modules">By module (<c>model.embed_tokens</c>): its own packing, or null where it is not quantized.</param>
public sealed record ModelQuantization(string Method, WeightPacking? Default, ImmutableDictionary<string, WeightPacking?> Modules)
{
    /// <summary>
    /// The packing of a module, null when it is not quantized. MLX also leaves a module alone when the file has no <c>{module}.scales</c>:
    /// the caller looks.
    /// </summary>
    /// <param name="module">The tensor's name without <c>.weight</c>.</param>
    public WeightPacking? For(string module) => Modules.TryGetValue(module, out WeightPacking? packing) ? packing : Default;

    internal static ModelQuantization? Read(ConfigFields config)
    {
        if (config.Object("quantization") is { } mlx)
        {
            return ReadMlx(mlx, config.Path, "quantization");
        }

        if (config.Object("quantization_config") is not { } other)
        {
            return null;
        }

        var method = new ConfigFields(config.Path, other).Text("quant_method");
        return method is null
            ? ReadMlx(other, config.Path, "quantization_config")
            : new ModelQuantization(method, null, ImmutableDictionary<string, WeightPacking?>.Empty);
    }

    private static ModelQuantization ReadMlx(JsonElement json, string path, string name)
    {
        WeightPacking packing = ReadPacking(json, path, name, null);
        ImmutableDictionary<string, WeightPacking?>.Builder modules = ImmutableDictionary.CreateBuilder<string, WeightPacking?>(StringComparer.Ordinal);
        foreach (JsonProperty entry in json.EnumerateObject())
        {
            var module = JsonText.Name(entry, path);
            switch (entry.Value.ValueKind)
            {
                case JsonValueKind.Object:
                    modules[module] = ReadPacking(entry.Value, path, $"{name}.{module}", packing);
                    break;
                case JsonValueKind.True:
                    modules[module] = packing;
                    break;
                case JsonValueKind.False:
                    modules[module] = null;
                    break;
            }
        }

        return new ModelQuantization("mlx", packing, modules.ToImmutable());
    }

    private static WeightPacking ReadPacking(JsonElement json, string path, string name, WeightPacking? outer)
    {
        ConfigFields fields = new(path, json);
        var groupSize = fields.Int32("group_size", 1, 1 << 16) ?? outer?.GroupSize
            ?? throw new ModelFileException(path, $"{name}.group_size", "is missing; MLX writes it, 32, 64 or 128");
        var bits = fields.Int32("bits", 1, 32) ?? outer?.Bits
            ?? throw new ModelFileException(path, $"{name}.bits", "is missing; MLX writes it, 2 to 8");
        return new WeightPacking(groupSize, bits, fields.Text("mode") ?? outer?.Mode ?? "affine");
    }
}
