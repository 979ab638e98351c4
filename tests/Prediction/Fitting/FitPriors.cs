namespace ClusterLlm.Prediction.Fitting;

/// <summary>
/// Starting points of the fit. The engine's own constants start at the values of performance.md sections 1, 2 and 5 and move freely; what a
/// die, a generation or a kind of model adds starts at 0 and needs rows to move it.
/// </summary>
internal static class FitPriors
{
    private static readonly Dictionary<string, double> DecodeMeans = new(StringComparer.Ordinal)
    {
        ["weights mlx"] = 1.08,
        ["weights gguf"] = 1.05,
        ["layer mlx"] = 0.06,
        ["layer gguf"] = 0.15,
        ["compute gguf"] = 1,
        ["cache plain mlx"] = 1.8,
        ["cache plain gguf"] = 1.8,
        ["cache sliding"] = 1.8,
        ["cache latent"] = 3,
        ["cache early"] = 8,
    };

    private static readonly Dictionary<string, double> PrefillMeans = new(StringComparer.Ordinal)
    {
        ["compute gguf"] = 1.35,
        ["compute mlx"] = 1.25,
        ["compute moe gguf"] = 1.6,
        ["compute moe mlx"] = 2,
        ["attention gguf"] = 1,
        ["attention mlx"] = 1,
        ["attention early"] = 2.5,
        ["layer gguf"] = 0.3,
        ["layer mlx"] = 0.3,
        ["layer moe gguf"] = 1,
        ["layer moe mlx"] = 1,
    };

    public static Prior Decode(string name)
    {
        var spread = name.Split(' ')[0] switch { "weights" => 0.15, "layer" => 0.05, "compute" => 3.0, _ => 2.0 };
        var isOwn = name is "weights mlx" or "weights gguf" or "layer mlx" or "layer gguf" or "compute gguf";
        return new Prior(DecodeMeans.GetValueOrDefault(name), isOwn ? 3 * spread : spread);
    }

    public static Prior Prefill(string name)
    {
        var spread = name.Split(' ')[0] switch { "compute" => 0.4, "layer" => 0.5, _ => 1.0 };
        return new Prior(PrefillMeans.GetValueOrDefault(name), PrefillMeans.ContainsKey(name) ? 3 * spread : spread);
    }
}
