namespace ClusterLlm.ModelFiles;

/// <summary>What a family's fields are when config.json leaves them out.</summary>
/// <param name="QkvBias">True where q, k and v always have a bias and o never has, whatever the file says.</param>
/// <param name="WindowNeedsSwitch">The window counts only with <c>use_sliding_window: true</c>.</param>
/// <remarks>Source: the configuration classes of transformers 4.5x (LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config, GemmaConfig, …).</remarks>
internal sealed record ModelFamilyDefaults(
    int MaxContextTokens = 2048,
    double RmsNormEpsilon = 1e-6,
    bool TiedEmbeddings = false,
    bool AttentionBias = false,
    bool? QkvBias = null,
    int? HeadDim = null,
    bool WindowNeedsSwitch = false)
{
    public static ModelFamilyDefaults For(string modelType) => modelType switch
    {
        "qwen2" => new ModelFamilyDefaults(MaxContextTokens: 32_768, QkvBias: true, WindowNeedsSwitch: true),
        "qwen2_moe" => new ModelFamilyDefaults(MaxContextTokens: 32_768, QkvBias: true, WindowNeedsSwitch: true),
        "qwen3" => new ModelFamilyDefaults(MaxContextTokens: 32_768, HeadDim: 128, WindowNeedsSwitch: true),
        "qwen3_moe" => new ModelFamilyDefaults(MaxContextTokens: 32_768, WindowNeedsSwitch: true),
        "mistral" => new ModelFamilyDefaults(MaxContextTokens: 131_072),
        "gemma" or "gemma2" => new ModelFamilyDefaults(MaxContextTokens: 8192, TiedEmbeddings: true, HeadDim: 256),
        "gemma3" or "gemma3_text" => new ModelFamilyDefaults(MaxContextTokens: 131_072, TiedEmbeddings: true, HeadDim: 256),
        "phi3" => new ModelFamilyDefaults(MaxContextTokens: 4096, RmsNormEpsilon: 1e-5),
        _ => new ModelFamilyDefaults(),
    };
}
