using ClusterLlm.ModelFiles;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Model;

/// <summary>Bytes that a stage of the builtin engine needs.</summary>
/// <param name="WeightBytes">Mapped from the files: embedding on the first stage, norm and head on the last one.</param>
/// <param name="KvCacheBytes">When every slot holds a full context; taken block by block as sequences grow.</param>
/// <param name="WorkspaceBytes">Activations of one step, and each worker's scratch.</param>
internal sealed record StageMemory(long WeightBytes, long KvCacheBytes, long WorkspaceBytes)
{
    public long TotalBytes => WeightBytes + KvCacheBytes + WorkspaceBytes;
}

/// <summary>The memory formulas of the builtin engine. The planner computes with the same numbers.</summary>
internal static class BuiltinMemory
{
    /// <summary>Keys and values are float32: logprobs stay within 1e-3 of a float32 reference on long sequences too.</summary>
    public const int KvElementBytes = 4;

    /// <summary>Positions in a block: caches grow by whole blocks.</summary>
    public const int KvBlockTokens = 128;

    /// <summary>Rows of a prefill chunk when the deployment leaves it to the engine.</summary>
    public const int DefaultPrefillChunkTokens = 128;

    private const int PaddingFloats = 32;

    /// <summary>What the layers [<paramref name="firstLayer"/>, <paramref name="firstLayer"/> + <paramref name="layerCount"/>) need.</summary>
    /// <param name="contextTokens">Longest sequence, prompt and answer; ≥ 1.</param>
    /// <param name="concurrency">Slots; ≥ 1.</param>
    /// <param name="chunkTokens">Rows of a prefill chunk; ≥ 1.</param>
    /// <param name="workers">Threads that compute; ≥ 1.</param>
    public static StageMemory Stage(
        ModelFolder model, int firstLayer, int layerCount, int contextTokens, int concurrency, int chunkTokens, int workers)
    {
        var isLast = firstLayer + layerCount == model.Config.LayerCount;
        return new StageMemory(
            model.Layout.StageBytes(firstLayer, layerCount),
            KvCacheBytes(model.Config, layerCount, contextTokens, concurrency),
            WorkspaceBytes(model.Config, concurrency, chunkTokens, workers, isLast));
    }

    /// <returns>2 (K and V) × layers × KV heads × head dim × 4 bytes × tokens rounded up to blocks × slots.</returns>
    public static long KvCacheBytes(ModelConfig config, int layerCount, int contextTokens, int concurrency) =>
        2L * layerCount * config.KvHeads * config.HeadDim * KvElementBytes * BlocksFor(contextTokens) * KvBlockTokens * concurrency;

    /// <summary>Activation rows × the widths of all intermediate results, the logits of every slot on the last stage, scratch per worker.</summary>
    public static long WorkspaceBytes(ModelConfig config, int concurrency, int chunkTokens, int workers, bool isLast)
    {
        var hidden = Pad(config.HiddenSize);
        var queries = Pad(config.AttentionHeads * config.HeadDim);
        var keys = Pad(config.KvHeads * config.HeadDim);
        var inner = Pad(config.IntermediateSize);
        var widest = Math.Max(hidden, Math.Max(queries, inner));
        var rows = RowsPerStep(concurrency, chunkTokens);
        var perRow = (3 * hidden) + (2 * queries) + (2 * keys) + (2 * inner) + widest + config.HeadDim;
        var logits = isLast ? (long)concurrency * (config.VocabularySize + hidden) : 0;
        var scratch = workers * ((6 * widest) + KvBlockTokens + 256);
        return sizeof(float) * ((rows * perRow) + logits + scratch);
    }

    /// <summary>Most rows of one step: a prefill chunk and a row of every slot that decodes.</summary>
    public static int RowsPerStep(int concurrency, int chunkTokens) => chunkTokens + concurrency;

    public static int BlocksFor(int tokens) => (tokens + KvBlockTokens - 1) / KvBlockTokens;

    private static long Pad(int columns) => (columns + PaddingFloats - 1) / PaddingFloats * PaddingFloats;
}
