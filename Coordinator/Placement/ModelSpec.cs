using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Coordinator.Placement;

/// <summary>A model as the planner needs it: its geometry and what each part weighs. No weights are read for it.</summary>
/// <param name="Architecture">config.json <c>architectures[0]</c>.</param>
/// <param name="ModelType">config.json <c>model_type</c>.</param>
/// <param name="Layers">In order; one entry per decoder layer.</param>
/// <param name="EmbeddingBytes">Input embedding, held by the first stage (and by the last one too when tied).</param>
/// <param name="HeadBytes">Output head, held by the last stage; 0 when tied.</param>
/// <param name="HiddenSize">Width of an activation: what a hop carries per token, in elements.</param>
/// <param name="IntermediateSize">Width of the feed-forward part that one token passes (of the active experts together); 0 when unknown.</param>
/// <param name="WeightBits">Bits per weight on average, scales included: 4.5 for MLX 4-bit in groups of 64.</param>
/// <param name="TotalParameters">Parameters of the whole model; 0 when unknown.</param>
/// <param name="ActiveParameters">Parameters that one token passes; equal to <paramref name="TotalParameters"/> for a dense model.</param>
internal sealed record ModelSpec(
    string Id,
    string Architecture,
    string ModelType,
    ImmutableArray<LayerSpec> Layers,
    long EmbeddingBytes,
    long HeadBytes,
    long FinalNormBytes,
    bool TiedEmbeddings,
    int HiddenSize,
    int IntermediateSize,
    int AttentionHeads,
    int KvHeads,
    int HeadDim,
    int VocabularySize,
    int MaxContextTokens,
    double WeightBits,
    double TotalParameters,
    double ActiveParameters)
{
    /// <summary>How the weights are packed; decides how much arithmetic unpacking takes.</summary>
    public WeightFormat Format { get; init; } = WeightFormat.Simple;

    /// <summary>It computes in 32 bits (config.json <c>torch_dtype</c>), and so do engines that follow the model; else in 16.</summary>
    public bool IsFloat32 { get; init; }

    public int LayerCount => Layers.Length;

    /// <summary>Layers with a cache of every token may mix with others: the kind that makes the difference decides.</summary>
    public AttentionKind Attention =>
        Layers.Any(layer => layer.IsLatent) ? AttentionKind.Latent
        : Layers.Any(layer => layer.StateElements > 0) ? AttentionKind.Hybrid
        : Layers.Any(layer => layer.KvWindowTokens > 0) ? AttentionKind.Sliding
        : AttentionKind.Plain;

    public ModelTraits Traits => new(IsMixtureOfExperts, Attention, Format);

    public bool IsMixtureOfExperts => ActiveParameters < 0.98 * TotalParameters;

    /// <summary>Bytes of all weights, each counted once.</summary>
    public long TotalBytes => Layers.Sum(layer => layer.WeightBytes) + EmbeddingBytes + HeadBytes + FinalNormBytes;

    /// <summary>Bytes of weights that one decoded token reads: the embedding is a look-up of one row, unless it is the head as well.</summary>
    public long ActiveBytes => Layers.Sum(layer => layer.ActiveBytes) + (TiedEmbeddings ? EmbeddingBytes : HeadBytes) + FinalNormBytes;
}

/// <summary>One decoder layer.</summary>
/// <param name="ActiveBytes">What one token reads of it; less than <paramref name="WeightBytes"/> where experts are chosen.</param>
/// <param name="KvElementsPerToken">Cache elements that one token leaves: 2 × KV heads × head dimension; the latent's width with MLA; 0 for linear attention.</param>
/// <param name="KvWindowTokens">Tokens that the cache keeps at most (sliding window); 0 means all.</param>
/// <param name="StateElements">Cache elements that don't grow with the context (linear attention's state); 0 for plain attention.</param>
internal readonly record struct LayerSpec(
    long WeightBytes,
    long ActiveBytes,
    int KvElementsPerToken,
    int KvWindowTokens,
    int StateElements)
{
    /// <summary>Of a mixture of experts: what every token reads (attention, shared experts, router); 0 otherwise.</summary>
    public long SharedBytes { get; init; }

    /// <summary>The cache holds one compressed row per token (MLA).</summary>
    public bool IsLatent { get; init; }

    /// <summary>Elements that the cache of one sequence holds in this layer.</summary>
    /// <param name="tokens">Tokens kept per sequence; ≥ 0.</param>
    public long KvElements(long tokens) =>
        (KvElementsPerToken * (KvWindowTokens > 0 ? Math.Min(tokens, KvWindowTokens) : tokens)) + StateElements;
}
