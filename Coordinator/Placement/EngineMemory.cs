namespace ClusterLlm.Coordinator.Placement;

/// <summary>How an engine uses memory for a shard, as a stated sum: weights + KV cache + workspace + runtime.</summary>
/// <param name="KvElementBytes">Bytes of one cache element.</param>
/// <param name="KvStepTokens">The cache grows in steps of this many tokens; 1 when it is allocated exactly.</param>
/// <param name="PrefillChunkTokens">Tokens of a prompt that pass the layers together.</param>
/// <param name="ActivationBytes">Bytes of one activation element during prefill.</param>
/// <param name="RuntimeBytes">What the engine takes before any weight: program, libraries, command buffers.</param>
internal sealed record EngineMemory(
    int KvElementBytes,
    int KvStepTokens,
    int PrefillChunkTokens,
    int ActivationBytes,
    long RuntimeBytes)
{
    /// <summary>The builtin engine; the agent's own formula decides when the shard is prepared.</summary>
    public static EngineMemory Builtin { get; } = new(4, 1, 256, 4, 24L << 20);

    /// <summary>MLX and what is built on it: 16-bit cache in steps of 256 tokens, prompts in chunks of 2048.</summary>
    public static EngineMemory Mlx { get; } = new(2, 256, 2048, 2, 512L << 20);

    public static EngineMemory For(string engine) => engine == "builtin" ? Builtin : Mlx;

    /// <summary>Bytes that the layers [<paramref name="first"/>, <paramref name="end"/>) need on one node.</summary>
    /// <param name="contextTokens">Longest sequence; ≥ 1.</param>
    /// <param name="concurrency">Sequences at once; ≥ 1.</param>
    public StageMemory ForStage(ModelSpec model, int first, int end, int contextTokens, int concurrency)
    {
        long weights = 0;
        long elements = 0;
        var tokens = (contextTokens + KvStepTokens - 1L) / KvStepTokens * KvStepTokens;
        for (var layer = first; layer < end; layer++)
        {
            weights += model.Layers[layer].WeightBytes;
            elements += model.Layers[layer].KvElements(tokens);
        }

        var isLast = end == model.LayerCount;
        weights += EndWeights(model, first == 0, isLast);
        return new StageMemory(weights, elements * KvElementBytes * concurrency, Workspace(model, contextTokens, concurrency, isLast));
    }

    /// <summary>Weights outside the layers: the embedding on the first stage, head and last norm on the last one, a tied embedding on both.</summary>
    public static long EndWeights(ModelSpec model, bool isFirst, bool isLast)
    {
        var bytes = isFirst ? model.EmbeddingBytes : 0;
        if (isLast)
        {
            bytes += model.FinalNormBytes + model.HeadBytes + (model.TiedEmbeddings && !isFirst ? model.EmbeddingBytes : 0);
        }

        return bytes;
    }

    /// <summary>
    /// Buffers of one step: residual and normed input, queries, keys, values and attention output, and two feed-forward widths per token
    /// of a chunk; 32-bit logits for each sequence on the last stage.
    /// </summary>
    public long Workspace(ModelSpec model, int contextTokens, int concurrency, bool isLast)
    {
        var chunk = (long)Math.Max(Math.Min(PrefillChunkTokens, contextTokens), concurrency);
        var attention = (2L * model.AttentionHeads * model.HeadDim) + (2L * model.KvHeads * model.HeadDim);
        var perToken = (3L * model.HiddenSize) + attention + (2L * model.IntermediateSize);
        var logits = isLast ? 4L * model.VocabularySize * concurrency : 0;
        return (chunk * perToken * ActivationBytes) + logits + RuntimeBytes;
    }
}

/// <summary>Bytes that a stage needs on its node.</summary>
internal readonly record struct StageMemory(long WeightBytes, long KvCacheBytes, long WorkspaceBytes)
{
    public long TotalBytes => WeightBytes + KvCacheBytes + WorkspaceBytes;
}
