namespace ClusterLlm.Coordinator.Placement;

/// <summary>How an engine uses memory for a shard, as a stated sum: weights + KV cache + workspace (with the runtime).</summary>
/// <param name="KvElementBytes">Bytes of one cache element.</param>
/// <param name="KvStepTokens">The cache grows in steps of this many tokens; 1 when it is allocated exactly.</param>
/// <param name="PrefillChunkTokens">Tokens of a prompt that pass the layers together.</param>
/// <param name="ActivationBytes">Bytes of one activation element.</param>
/// <param name="RuntimeBytes">What the engine takes before any weight: program, libraries, command buffers.</param>
/// <param name="ScratchWorkers">Threads with scratch of their own; 0 on a GPU.</param>
internal sealed record EngineMemory(
    int KvElementBytes,
    int KvStepTokens,
    int PrefillChunkTokens,
    int ActivationBytes,
    long RuntimeBytes,
    int ScratchWorkers)
{
    /// <summary>
    /// The builtin engine, as its own BuiltinMemory computes: 32-bit cache in blocks of 128 tokens, chunks of 128. Its agent decides when the
    /// shard is prepared; more threads than assumed here are unusual.
    /// </summary>
    public static EngineMemory Builtin { get; } = new(4, 128, 128, 4, 0, 64);

    /// <summary>MLX and what is built on it: cache in the model's own type, in steps of 256 tokens, prompts in chunks of 2048 (mlx.md section 5).</summary>
    public static EngineMemory Mlx { get; } = new(2, 256, 2048, 2, 300_000_000, 0) { FollowsModel = true };

    /// <summary>llama.cpp: 16-bit cache, batches of 512 tokens; small command buffers.</summary>
    public static EngineMemory LlamaCpp { get; } = new(2, 256, 512, 4, 100_000_000, 0);

    /// <summary>Caches and activations have 32 bits where the model's own type has.</summary>
    public bool FollowsModel { get; private init; }

    public static EngineMemory For(string engine) => engine switch
    {
        "builtin" => Builtin,
        "llama.cpp" => LlamaCpp,
        _ => Mlx,
    };

    /// <summary>Bytes that the layers [<paramref name="first"/>, <paramref name="end"/>) need on one node.</summary>
    /// <param name="contextTokens">Longest sequence; ≥ 1.</param>
    /// <param name="concurrency">Sequences at once; ≥ 1.</param>
    public StageMemory ForStage(ModelSpec model, int first, int end, int contextTokens, int concurrency)
    {
        long weights = 0;
        long cache = 0;
        for (var layer = first; layer < end; layer++)
        {
            weights += model.Layers[layer].WeightBytes;
            cache += LayerCacheBytes(model, layer, contextTokens, concurrency);
        }

        var isLast = end == model.LayerCount;
        return new StageMemory(
            weights + EndWeights(model, first == 0, isLast), cache, Workspace(model, contextTokens, concurrency, isLast));
    }

    /// <returns>Elements that the layer keeps per sequence, in the engine's steps, × element size × sequences.</returns>
    public long LayerCacheBytes(ModelSpec model, int layer, int contextTokens, int concurrency)
    {
        var tokens = (contextTokens + KvStepTokens - 1L) / KvStepTokens * KvStepTokens;
        return model.Layers[layer].KvElements(tokens) * Width(model, KvElementBytes) * concurrency;
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
    /// Buffers of one step, per token of a chunk: residual, normed and projected input, queries and attention output, keys and values, two
    /// feed-forward widths and the widest of them once more; logits of each sequence on the last stage; scratch per thread; the runtime.
    /// </summary>
    public long Workspace(ModelSpec model, int contextTokens, int concurrency, bool isLast)
    {
        var rows = (ScratchWorkers > 0 ? PrefillChunkTokens : Math.Min(PrefillChunkTokens, contextTokens)) + (long)concurrency;
        var hidden = (long)Padded(model.HiddenSize);
        var queries = (long)Padded(model.AttentionHeads * model.HeadDim);
        var keys = (long)Padded(model.KvHeads * model.HeadDim);
        var inner = (long)Padded(model.IntermediateSize);
        var widest = Math.Max(hidden, Math.Max(queries, inner));
        var perRow = (3 * hidden) + (2 * queries) + (2 * keys) + (2 * inner) + widest + model.HeadDim;
        var logits = isLast ? 4 * concurrency * (model.VocabularySize + hidden) : 0;
        var scratch = ScratchWorkers * ((6 * widest) + KvStepTokens + 256) * ActivationBytes;
        return (rows * perRow * Width(model, ActivationBytes)) + logits + scratch + RuntimeBytes;
    }

    private int Width(ModelSpec model, int bytes) => FollowsModel && model.IsFloat32 ? sizeof(float) : bytes;

    // The builtin engine pads its rows to whole vectors; on a GPU the difference is nothing.
    private static int Padded(int columns) => (columns + 31) / 32 * 32;
}

/// <summary>Bytes that a stage needs on its node.</summary>
internal readonly record struct StageMemory(long WeightBytes, long KvCacheBytes, long WorkspaceBytes)
{
    public long TotalBytes => WeightBytes + KvCacheBytes + WorkspaceBytes;
}
