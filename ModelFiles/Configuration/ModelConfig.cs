using System.Collections.Immutable;
using System.Text.Json;

namespace ClusterLlm.ModelFiles;

/// <summary>A model's config.json. Fields that the file leaves out have the defaults of transformers' class for the model type.</summary>
public sealed record ModelConfig
{
    /// <summary>First of <c>architectures</c>, for example <c>Qwen2ForCausalLM</c>; empty when the file names none.</summary>
    public required string Architecture { get; init; }

    /// <summary><c>model_type</c>, for example <c>qwen2</c>.</summary>
    public required string ModelType { get; init; }

    public required int HiddenSize { get; init; }

    public required int IntermediateSize { get; init; }

    public required int LayerCount { get; init; }

    public required int AttentionHeads { get; init; }

    public required int KvHeads { get; init; }

    public required int HeadDim { get; init; }

    public required int VocabularySize { get; init; }

    /// <summary><c>max_position_embeddings</c>, prompt and answer together.</summary>
    public required int MaxContextTokens { get; init; }

    public required double RmsNormEpsilon { get; init; }

    public required double RopeTheta { get; init; }

    /// <summary>Null for plain rotary positions.</summary>
    public required RopeScaling? RopeScaling { get; init; }

    /// <summary>Whether the output layer is the embedding. <see cref="ModelFolder"/> lets the headers decide when the file does not say.</summary>
    public required bool TiedEmbeddings { get; init; }

    /// <summary>Whether <see cref="TiedEmbeddings"/> is what the file says, and not a default.</summary>
    public required bool TiedEmbeddingsStated { get; init; }

    /// <summary>Whether q, k and v have a bias. Qwen2 always has; its config does not say so.</summary>
    public required bool AttentionBias { get; init; }

    /// <summary>Whether o has a bias: <see cref="AttentionBias"/>, except for Qwen2.</summary>
    public required bool AttentionOutputBias { get; init; }

    public required bool MlpBias { get; init; }

    /// <summary><c>silu</c>, <c>gelu_pytorch_tanh</c>, …</summary>
    public required string HiddenActivation { get; init; }

    public required ImmutableArray<int> EosTokenIds { get; init; }

    public required int? BosTokenId { get; init; }

    /// <summary>Tokens that a sliding-window layer looks back; null when no layer has a window.</summary>
    public required int? SlidingWindow { get; init; }

    /// <summary>Qwen2 and Qwen3 with a window: layers below this one attend to everything.</summary>
    public required int? MaxWindowLayers { get; init; }

    /// <summary><c>torch_dtype</c> or <c>dtype</c>, for example <c>bfloat16</c>; null when the file does not say.</summary>
    public required string? TorchDtype { get; init; }

    public required ModelQuantization? Quantization { get; init; }

    /// <summary>The whole file, for fields not listed here (mixture of experts, latent attention).</summary>
    public required JsonElement Json { get; init; }

    /// <summary>Reads <c>config.json</c> of a folder.</summary>
    /// <exception cref="ModelFileException">The file is missing, or a field is missing, of the wrong type or contradicts another.</exception>
    public static ModelConfig Read(string folder)
    {
        var path = Path.Combine(folder, "config.json");
        return Parse(ModelFileReader.ReadBytes(path, ModelConfigReader.MaxBytes), path);
    }

    /// <summary>Parses the bytes of a config.json.</summary>
    /// <param name="path">Named in errors.</param>
    /// <exception cref="ModelFileException">A field is missing, of the wrong type or contradicts another.</exception>
    public static ModelConfig Parse(ReadOnlyMemory<byte> json, string path) =>
        ModelConfigReader.Read(ModelFileReader.ParseObject(json, path), path);
}
