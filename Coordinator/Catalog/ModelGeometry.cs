namespace ClusterLlm.Coordinator.Catalog;

/// <summary>A decoder's shape, as config.json has it. Sizes are in elements; 0 means that the part isn't there.</summary>
/// <param name="Intermediate">Of the dense feed-forward part.</param>
/// <param name="Experts">Routed experts per layer; 0 for a dense model.</param>
/// <param name="FirstDense">Layers at the start that are dense all the same.</param>
internal sealed record ModelGeometry(
    string Architecture,
    string ModelType,
    int Layers,
    int Hidden,
    int Intermediate,
    int AttentionHeads,
    int KvHeads,
    int HeadDim,
    int Vocabulary,
    bool TiedEmbeddings,
    int MaxContext,
    int Experts,
    int ExpertsPerToken,
    int ExpertIntermediate,
    int SharedIntermediate,
    int FirstDense)
{
    /// <summary>Multi-head latent attention; <see langword="null"/> for plain attention.</summary>
    public LatentShape? Latent { get; init; }

    /// <summary>Every so many layers one has full attention; 1 when all have.</summary>
    public int FullEvery { get; init; } = 1;

    /// <summary>What the other layers see; 0 when they are linear attention.</summary>
    public int WindowTokens { get; init; }

    /// <summary>State elements and weights of a linear-attention layer.</summary>
    public LinearShape? Linear { get; init; }

    /// <summary>Layers that keep a full cache, by index; <see langword="null"/> to use <see cref="FullEvery"/>.</summary>
    public IReadOnlyList<bool>? FullLayers { get; init; }

    public bool IsFull(int layer) => FullLayers?[layer] ?? (layer + 1) % FullEvery == 0;
}

/// <summary>Widths of multi-head latent attention (DeepSeek-V2 and after).</summary>
internal sealed record LatentShape(int QueryRank, int KvRank, int RopeDim, int NopeDim, int ValueDim);

/// <summary>Widths of gated linear attention (Qwen3-Next and after).</summary>
internal sealed record LinearShape(int KeyHeads, int ValueHeads, int KeyDim, int ValueDim, int ConvolutionKernel);

/// <summary>How weights are stored: bits per weight of matrices on average, scales included.</summary>
/// <param name="ExpertBits">Where experts are stored otherwise; else the same.</param>
internal sealed record WeightStorage(string Name, double Bits, double ExpertBits);
