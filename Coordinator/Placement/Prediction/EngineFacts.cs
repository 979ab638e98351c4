namespace ClusterLlm.Coordinator.Placement.Prediction;

/// <summary>What differs between engines for the planner.</summary>
/// <param name="HasMicroBatches">Several batches can be in flight over the stages at once.</param>
internal sealed record EngineFacts(string Name, EngineFamily Family, bool HasMicroBatches)
{
    public static EngineFacts Of(string engine) => engine switch
    {
        "builtin" => new EngineFacts(engine, EngineFamily.Builtin, true),
        "llama.cpp" => new EngineFacts(engine, EngineFamily.LlamaCpp, false),
        _ => new EngineFacts(engine, EngineFamily.Mlx, false),
    };
}
