namespace ClusterLlm.Coordinator.Placement.Prediction;

/// <summary>Sorts predictions into classes that are about equally certain.</summary>
internal static class BandClass
{
    /// <param name="totalParameters">Of the whole model.</param>
    /// <param name="contextTokens">Tokens in the cache; beyond 4096 the cache's factor decides.</param>
    public static string Decode(EngineFamily family, ModelTraits model, double totalParameters, double contextTokens)
    {
        if (family == EngineFamily.Builtin)
        {
            return "builtin";
        }

        if (model.IsMixtureOfExperts)
        {
            return family == EngineFamily.Mlx ? "decode moe mlx" : "decode moe gguf";
        }

        if (family == EngineFamily.LlamaCppEarly)
        {
            return "decode early";
        }

        var size = totalParameters < 6e9 ? "small" : contextTokens > 4096 ? "long" : "large";
        return $"decode dense {(family == EngineFamily.Mlx ? "mlx" : "gguf")} {size}";
    }

    public static string Prefill(EngineFamily family, ModelTraits model) =>
        family == EngineFamily.Builtin
            ? "builtin"
            : model.IsMixtureOfExperts
                ? "prefill moe"
                : family == EngineFamily.LlamaCppEarly ? "prefill early" : $"prefill dense {(family == EngineFamily.Mlx ? "mlx" : "gguf")}";
}
