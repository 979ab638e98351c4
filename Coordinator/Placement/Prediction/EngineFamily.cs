namespace ClusterLlm.Coordinator.Placement.Prediction;

/// <summary>Engines that share their constants.</summary>
internal enum EngineFamily
{
    /// <summary>mlx-lm and what is built on MLX: exo 1.x, LM Studio's MLX runtime, vllm-mlx, Rapid-MLX.</summary>
    Mlx,

    /// <summary>llama.cpp on Metal with flash attention.</summary>
    LlamaCpp,

    /// <summary>llama.cpp of early 2024, without flash attention: the cache costs several times its bytes.</summary>
    LlamaCppEarly,

    /// <summary>llama.cpp inside Ollama or LM Studio.</summary>
    LlamaCppWrapped,

    /// <summary>Our own engine on the CPU.</summary>
    Builtin,
}
