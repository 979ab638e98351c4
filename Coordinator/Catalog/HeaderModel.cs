using System.Collections.Immutable;
using System.Text.RegularExpressions;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Catalog;

/// <summary>A tensor of a safetensors header.</summary>
internal readonly record struct HeaderTensor(string Name, long ByteCount);

/// <summary>Makes the planner's model from what is really in the files: headers say bytes, config.json says shape.</summary>
internal static partial class HeaderModel
{
    /// <exception cref="ModelConfigException">A layer that config.json promises has no tensors.</exception>
    public static ModelSpec Spec(string id, ModelGeometry geometry, WeightStorage storage, IReadOnlyCollection<HeaderTensor> tensors)
    {
        var layers = new (long Shared, long Experts)[geometry.Layers];
        long embedding = 0, head = 0, rest = 0;
        foreach (var tensor in tensors)
        {
            if (LayerNumber().Match(tensor.Name) is { Success: true } match)
            {
                // Layers behind the last one predict several tokens at once; engines here leave them out.
                if (int.Parse(match.Groups[1].ValueSpan) is var layer && layer < layers.Length)
                {
                    layers[layer] = IsExpert(tensor.Name)
                        ? (layers[layer].Shared, layers[layer].Experts + tensor.ByteCount)
                        : (layers[layer].Shared + tensor.ByteCount, layers[layer].Experts);
                }
            }
            else if (tensor.Name.Contains("embed_tokens", StringComparison.Ordinal))
            {
                embedding += tensor.ByteCount;
            }
            else if (tensor.Name.Contains("lm_head", StringComparison.Ordinal))
            {
                head += tensor.ByteCount;
            }
            else
            {
                rest += tensor.ByteCount;
            }
        }

        var empty = Array.FindIndex(layers, layer => layer == default);
        if (empty >= 0)
        {
            throw new ModelConfigException($"{id}: config.json says {layers.Length} layers, but the headers hold no tensor of layer {empty}; a file is missing, or config.json is of another model.");
        }

        var computed = GeometryBytes.Spec(id, geometry, storage);
        return computed with
        {
            Layers = [.. layers.Select((bytes, index) => WithBytes(computed.Layers[index], geometry, bytes))],
            EmbeddingBytes = embedding,
            HeadBytes = head,
            FinalNormBytes = rest,
            TiedEmbeddings = head == 0,
        };
    }

    /// <summary>What a computed entry says otherwise than the headers, each with both values; headers win.</summary>
    public static ImmutableArray<string> Differences(ModelSpec entry, ModelSpec headers)
    {
        var found = ImmutableArray.CreateBuilder<string>();
        void Compare(string what, double inEntry, double inHeaders, double tolerance)
        {
            if (Math.Abs(inEntry - inHeaders) > tolerance * Math.Max(1, Math.Abs(inHeaders)))
            {
                found.Add(FormattableString.Invariant($"{what}: the catalogue has {inEntry:0}, the files have {inHeaders:0}; the files are used."));
            }
        }

        Compare("layers", entry.LayerCount, headers.LayerCount, 0);
        Compare("hidden size", entry.HiddenSize, headers.HiddenSize, 0);
        Compare("vocabulary", entry.VocabularySize, headers.VocabularySize, 0);
        // Norms, biases and routers are stored in more than one way: a hundredth is no difference.
        Compare("bytes of all weights", entry.TotalBytes, headers.TotalBytes, 0.01);
        Compare("embedding bytes", entry.EmbeddingBytes, headers.EmbeddingBytes, 0.01);
        return found.ToImmutable();
    }

    /// <summary>Puts measured bytes on a computed layer; experts are read in the share that one token chooses.</summary>
    public static LayerSpec WithBytes(LayerSpec layer, ModelGeometry geometry, (long Shared, long Experts) bytes)
    {
        var chosen = geometry.Experts == 0 ? 0 : bytes.Experts * geometry.ExpertsPerToken / geometry.Experts;
        return layer with
        {
            WeightBytes = bytes.Shared + bytes.Experts,
            ActiveBytes = bytes.Shared + chosen,
            SharedBytes = bytes.Experts > 0 ? bytes.Shared : 0,
        };
    }

    private static bool IsExpert(string name) =>
        (name.Contains(".experts.", StringComparison.Ordinal) || name.Contains(".switch_mlp.", StringComparison.Ordinal))
        && !name.Contains("shared_expert", StringComparison.Ordinal);

    [GeneratedRegex(@"(?:^|\.)layers\.(\d{1,6})\.")]
    private static partial Regex LayerNumber();
}
