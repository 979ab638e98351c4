using System.Globalization;

namespace ClusterLlm.ModelFiles;

/// <summary>Adds tensors up by the part of the model that they belong to.</summary>
internal sealed class LayoutSums(string prefix, string head, int layerCount, bool tied)
{
    private readonly long[] _layers = new long[layerCount];
    private readonly string _layersPrefix = prefix + "layers.";
    private long _embedding;
    private long _head;
    private long _norm;
    private long _other;

    public void Add(TensorInfo tensor)
    {
        var name = tensor.Name;
        if (LayerOf(name) is { } layer && layer < layerCount)
        {
            _layers[layer] += tensor.ByteCount;
        }
        else if (name.StartsWith(prefix + "embed_tokens.", StringComparison.Ordinal))
        {
            _embedding += tensor.ByteCount;
        }
        else if (name.StartsWith(head + ".", StringComparison.Ordinal) && !tied)
        {
            _head += tensor.ByteCount;
        }
        else if (name.StartsWith(prefix + "norm.", StringComparison.Ordinal))
        {
            _norm += tensor.ByteCount;
        }
        else
        {
            _other += tensor.ByteCount;
        }
    }

    /// <summary>Compares the layers that the names tell of with config.json's count.</summary>
    public void CheckLayers(TensorIndex index, ModelConfig config, IEnumerable<string> names)
    {
        HashSet<int> layers = [.. names.Select(LayerOf).OfType<int>()];
        var missing = Enumerable.Range(0, layerCount).FirstOrDefault(layer => !layers.Contains(layer), -1);
        if (missing >= 0)
        {
            throw new ModelFileException(
                index.Folder,
                $"{_layersPrefix}{missing}",
                $"config.json says num_hidden_layers {layerCount}, but no tensor of this layer is there; config.json and weights are not of one model");
        }

        // Models with extra prediction layers keep them after the last one.
        var beyond = layers.Max();
        if (beyond >= layerCount && !config.Json.TryGetProperty("num_nextn_predict_layers", out _))
        {
            throw new ModelFileException(
                index.Folder,
                $"{_layersPrefix}{beyond}",
                $"is there, but config.json says num_hidden_layers {layerCount}; config.json and weights are not of one model");
        }
    }

    public ModelLayout ToLayout() => new(prefix, head, [.. _layers], _embedding, _head, _norm, tied, _other);

    private int? LayerOf(string name)
    {
        if (!name.StartsWith(_layersPrefix, StringComparison.Ordinal))
        {
            return null;
        }

        ReadOnlySpan<char> rest = name.AsSpan(_layersPrefix.Length);
        var dot = rest.IndexOf('.');
        return dot > 0 && int.TryParse(rest[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out var layer) ? layer : null;
    }
}
