using System.Collections.Immutable;
using System.Globalization;

namespace ClusterLlm.ModelFiles;

/// <summary>How many bytes each part of a model has, and what its tensors are called.</summary>
/// <param name="Prefix">What stands before <c>layers.0.</c>, for example <c>model.</c> or <c>language_model.model.</c>.</param>
/// <param name="HeadName">Module of the output layer, for example <c>lm_head</c>; the model has it when <paramref name="TiedEmbeddings"/> is false.</param>
/// <param name="LayerBytes">Weights of each layer, all tensors of its prefix.</param>
/// <param name="EmbeddingBytes">Needed on the first stage, and on the last one too when tied.</param>
/// <param name="HeadBytes">The output layer's own weights; 0 when tied.</param>
/// <param name="FinalNormBytes">The norm before the output layer.</param>
/// <param name="OtherBytes">Tensors that are none of these: vision towers, extra prediction layers, an unused output layer.</param>
public sealed record ModelLayout(
    string Prefix,
    string HeadName,
    ImmutableArray<long> LayerBytes,
    long EmbeddingBytes,
    long HeadBytes,
    long FinalNormBytes,
    bool TiedEmbeddings,
    long OtherBytes)
{
    private static readonly string[] KnownPrefixes = ["model.", "language_model.model.", "model.language_model.", "transformer.", ""];

    /// <summary>All of the model's bytes.</summary>
    public long TotalBytes => LayerBytes.Sum() + EmbeddingBytes + HeadBytes + FinalNormBytes + OtherBytes;

    /// <summary>Module of the embedding, for example <c>model.embed_tokens</c>.</summary>
    public string EmbeddingName => Prefix + "embed_tokens";

    /// <summary>Module of the norm before the output layer, for example <c>model.norm</c>.</summary>
    public string FinalNormName => Prefix + "norm";

    /// <summary>What the names of a layer's tensors begin with, for example <c>model.layers.3.</c>.</summary>
    public string LayerPrefix(int layer) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}layers.{layer}.");

    /// <summary>Bytes that the layers [<paramref name="firstLayer"/>, <paramref name="firstLayer"/> + <paramref name="layerCount"/>) need, with embedding, norm and head where they belong.</summary>
    public long StageBytes(int firstLayer, int layerCount)
    {
        var isFirst = firstLayer == 0;
        var isLast = firstLayer + layerCount == LayerBytes.Length;
        var bytes = LayerBytes.AsSpan(firstLayer, layerCount).ToArray().Sum();
        bytes += isFirst || (isLast && TiedEmbeddings) ? EmbeddingBytes : 0;
        return bytes + (isLast ? HeadBytes + FinalNormBytes : 0);
    }

    /// <summary>Sums the tensors by part.</summary>
    /// <exception cref="ModelFileException">The headers have other layers than config.json says.</exception>
    public static ModelLayout Create(TensorIndex index, ModelConfig config)
    {
        var prefix = FindPrefix(index);
        var head = FindHead(index, prefix);
        var headExists = Names(index).Any(name => name.StartsWith(head + ".", StringComparison.Ordinal));
        var tied = config.TiedEmbeddingsStated ? config.TiedEmbeddings : !headExists;
        var sums = new LayoutSums(prefix, head, config.LayerCount, tied);
        foreach (TensorInfo tensor in index.Tensors.Values)
        {
            sums.Add(tensor);
        }

        sums.CheckLayers(index, config, Names(index));
        return sums.ToLayout();
    }

    private static IEnumerable<string> Names(TensorIndex index) => index.Tensors.Keys.Concat(index.MissingTensors);

    private static string FindPrefix(TensorIndex index) =>
        KnownPrefixes.FirstOrDefault(prefix => Names(index).Any(name => name.StartsWith($"{prefix}layers.", StringComparison.Ordinal)))
        ?? throw new ModelFileException(
            index.Folder, "layers", $"no tensor is called {string.Join(" or ", KnownPrefixes.Select(prefix => $"{prefix}layers.N"))}; the architecture is unknown");

    private static string FindHead(TensorIndex index, string prefix)
    {
        string[] candidates = ["lm_head", "language_model.lm_head", $"{prefix}lm_head"];
        return candidates.FirstOrDefault(head => Names(index).Any(name => name.StartsWith(head + ".", StringComparison.Ordinal))) ?? "lm_head";
    }
}
