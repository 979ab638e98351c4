namespace ClusterLlm.Coordinator.Placement.Prediction;

/// <summary>What the layers [first, end) of a model do in one step.</summary>
internal static class ModelWork
{
    // Published speeds are of 16-bit caches.
    private const int CacheElementBytes = 2;

    // llama.cpp's physical batch and about what MLX needs to fill the GPU: the fixed cost of a layer is paid once per so many tokens.
    private const double ChunkTokens = 512;

    /// <param name="contextTokens">Tokens in each sequence's cache; ≥ 0.</param>
    /// <param name="sequences">Decoded together; ≥ 1.</param>
    public static DecodeWork Decode(ModelSpec model, int first, int end, double contextTokens, int sequences)
    {
        var work = Layers(model, first, end, contextTokens, sequences);
        return end == model.LayerCount ? work with { WeightBytes = work.WeightBytes + HeadBytes(model) } : work;
    }

    /// <summary>The same without the output head.</summary>
    public static DecodeWork Layers(ModelSpec model, int first, int end, double contextTokens, int sequences)
    {
        double weights = 0;
        double cache = 0;
        for (var index = first; index < end; index++)
        {
            var layer = model.Layers[index];
            weights += Touched(layer, sequences);
            cache += layer.KvElements((long)contextTokens) - layer.StateElements;
        }

        var share = (double)(end - first) / model.LayerCount;
        var flops = 2 * model.ActiveParameters * share;
        return new DecodeWork(weights, flops, end - first, cache * CacheElementBytes * sequences, flops * (sequences - 1));
    }

    /// <param name="tokens">Of the prompt; ≥ 1.</param>
    public static PrefillWork Prefill(ModelSpec model, int first, int end, int tokens)
    {
        var layers = end - first;
        var share = (double)layers / model.LayerCount;
        return new PrefillWork(
            tokens,
            2 * model.ActiveParameters * share * tokens,
            2.0 * layers * model.HiddenSize * tokens * tokens,
            layers * Math.Max(1, tokens / ChunkTokens));
    }

    /// <summary>What the last stage reads besides its layers.</summary>
    public static double HeadBytes(ModelSpec model) =>
        model.FinalNormBytes + (model.TiedEmbeddings ? model.EmbeddingBytes : model.HeadBytes);

    /// <summary>
    /// Weights that a batch reads of a layer: all of a dense one once; of a mixture the shared part and the experts that at least one of the
    /// sequences chose, which is 1 − (1 − active share)^sequences of them when choices are independent.
    /// </summary>
    private static double Touched(LayerSpec layer, int sequences)
    {
        if (sequences == 1 || layer.ActiveBytes >= layer.WeightBytes)
        {
            return layer.ActiveBytes;
        }

        var shared = Math.Min(layer.SharedBytes, layer.ActiveBytes);
        var experts = (double)(layer.WeightBytes - shared);
        var share = (layer.ActiveBytes - shared) / experts;
        return shared + (experts * (1 - Math.Pow(1 - share, sequences)));
    }
}
