using System.Text.Json;
using ClusterLlm.ModelFiles;

namespace ClusterLlm.NodeAgent.Engines.Mlx;

/// <summary>What a shard needs on the mlx engine.</summary>
/// <param name="WorkspaceBytes">Python, MLX's libraries and buffer pool, and what a prefill chunk computes with.</param>
/// <param name="PromptCacheTokens">Tokens of earlier prompts that may be kept within the plan's limit; the smallest value of all ranks counts.</param>
/// <param name="BufferPoolBytes">Freed buffers that MLX may keep.</param>
internal sealed record MlxBudget(
    long WeightBytes,
    long KvCacheBytes,
    long WorkspaceBytes,
    int PrefillChunkTokens,
    int PromptCacheTokens,
    long BufferPoolBytes);

/// <summary>The memory rule of the mlx engine.</summary>
internal static class MlxMemory
{
    /// <summary>Python with mlx_lm imported and MLX's libraries, before any weight. Measured: 76 MB resident on Linux; about 300 MB on a Mac with Metal (reported, not measured here).</summary>
    private const long RuntimeBytes = 320L << 20;

    /// <summary>mlx_lm grows its caches in steps of so many tokens, and pads a batch to its longest member.</summary>
    private const int KvStepTokens = 256;

    private const int LargestPromptBatch = 4;
    private const long SmallestPoolBytes = 64L << 20;
    private const long LargestPoolBytes = 2L << 30;

    public static MlxBudget For(ShardSpec spec, ModelFolder model, MlxOptions options)
    {
        var chunk = spec.PrefillChunkTokens > 0 ? spec.PrefillChunkTokens : options.PrefillChunkTokens;
        var perToken = KvBytesPerToken(model.Config, spec.LayerCount);
        var steps = (spec.ContextTokens + KvStepTokens - 1L) / KvStepTokens;
        var weights = model.Layout.StageBytes(spec.FirstLayer, spec.LayerCount);
        var cache = steps * KvStepTokens * Math.Max(1, spec.MaxConcurrency) * perToken;
        var workspace = RuntimeBytes + PrefillBytes(spec, model.Config, chunk);
        return new MlxBudget(
            weights,
            cache,
            workspace,
            chunk,
            PromptCacheTokens(spec, options, weights + cache + workspace, perToken),
            Math.Clamp(weights / 16, SmallestPoolBytes, LargestPoolBytes));
    }

    /// <summary>
    /// Bytes that one token adds to the caches of <paramref name="layers"/> layers: keys and values of all KV heads; with latent attention the compressed
    /// vector and the rotary part of the key.
    /// </summary>
    /// <remarks>Source: mlx_lm's cache classes; shapes checked by running them.</remarks>
    public static long KvBytesPerToken(ModelConfig config, int layers)
    {
        var elements = Whole(config.Json, "kv_lora_rank") is { } rank and > 0
            ? rank + (Whole(config.Json, "qk_rope_head_dim") ?? 0)
            : 2L * config.KvHeads * config.HeadDim;
        return elements * layers * ElementBytes(config);
    }

    private static int ElementBytes(ModelConfig config) => config.TorchDtype == "float32" ? 4 : 2;

    /// <summary>Residual, queries, keys, values and two feed-forward widths for each token of the prompts that prefill together, and logits on the last stage.</summary>
    private static long PrefillBytes(ShardSpec spec, ModelConfig config, int chunk)
    {
        var prompts = Math.Clamp(spec.MaxConcurrency, 1, LargestPromptBatch);
        // As many rows as the planner counts, which does not ask for more than one whole context at once.
        var rows = Math.Min(prompts * chunk, spec.ContextTokens);
        var perToken = (6L * config.HiddenSize) + (2L * config.IntermediateSize);
        var logits = spec.IsLastStage ? 4L * config.VocabularySize * Math.Max(1, spec.MaxConcurrency) : 0;
        return (rows * perToken * ElementBytes(config)) + logits;
    }

    /// <summary>Earlier prompts are kept in what the plan's limit leaves: they are worth memory, but no plan needs them.</summary>
    private static int PromptCacheTokens(ShardSpec spec, MlxOptions options, long needed, long perToken) =>
        spec.MemoryLimitBytes > 0
            ? (int)Math.Clamp((spec.MemoryLimitBytes - needed) / Math.Max(1, perToken), 0, options.PromptCacheTokens)
            : options.PromptCacheTokens;

    private static long? Whole(JsonElement config, string name) =>
        config.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;
}
