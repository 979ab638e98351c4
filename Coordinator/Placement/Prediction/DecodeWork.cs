namespace ClusterLlm.Coordinator.Placement.Prediction;

/// <summary>How a model attends: what its cache costs to read depends on it.</summary>
internal enum AttentionKind
{
    /// <summary>Full attention in every layer (MHA or GQA).</summary>
    Plain,

    /// <summary>Some layers see a window only.</summary>
    Sliding,

    /// <summary>Multi-head latent attention: one compressed row per token.</summary>
    Latent,

    /// <summary>Some layers keep a fixed state in place of a cache (linear attention).</summary>
    Hybrid,
}

/// <summary>What one decode step does on one node.</summary>
/// <param name="WeightBytes">Weights read; ≥ 0.</param>
/// <param name="Flops">Floating point operations of one sequence: 2 × active parameters.</param>
/// <param name="Layers">Layers passed.</param>
/// <param name="KvBytes">Cache read, all sequences together.</param>
/// <param name="BatchFlops">Operations of all further sequences of the batch; 0 for one sequence.</param>
internal readonly record struct DecodeWork(double WeightBytes, double Flops, int Layers, double KvBytes, double BatchFlops);

/// <summary>What a prompt does on one node.</summary>
/// <param name="Tokens">Of the prompt; ≥ 1.</param>
/// <param name="Flops">2 × active parameters × tokens.</param>
/// <param name="AttentionFlops">2 × layers × hidden size × tokens².</param>
/// <param name="LayerPasses">Layers × chunks: how often a layer's fixed cost is paid.</param>
internal readonly record struct PrefillWork(int Tokens, double Flops, double AttentionFlops, double LayerPasses);

/// <summary>What of a model the constants depend on.</summary>
internal readonly record struct ModelTraits(bool IsMixtureOfExperts, AttentionKind Attention, WeightFormat Format);

/// <summary>How weights are packed: decides how much arithmetic unpacking takes.</summary>
internal enum WeightFormat
{
    /// <summary>MLX affine, Q4_0, Q8_0, MXFP4.</summary>
    Simple,

    /// <summary>f16, bf16.</summary>
    Half,

    /// <summary>GGUF K-quants and what wraps them.</summary>
    KQuant,
}
