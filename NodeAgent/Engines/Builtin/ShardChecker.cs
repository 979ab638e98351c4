using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Builtin.Model;

namespace ClusterLlm.NodeAgent.Engines.Builtin;

/// <summary>Phase one: whether a shard could start here. Reads headers only.</summary>
internal static class ShardChecker
{
    public static ShardCheck Check(ShardSpec spec, ModelFolder model, int chunkTokens, int workers)
    {
        List<ShardProblem> problems = [];
        if (ModelSupport.Check(model) is { IsSupported: false } verdict)
        {
            problems.Add(new ShardProblem("model", verdict.Reason!));
        }

        CheckLimits(spec, model.Config, problems);
        if (problems.Count > 0)
        {
            return new ShardCheck([.. problems], 0, 0, 0);
        }

        CheckTensors(spec, model, problems);
        if (spec.ModelFingerprint.Length > 0 && spec.ModelFingerprint != model.Fingerprint)
        {
            problems.Add(new ShardProblem(
                "model", $"Model {model.Id} at {model.Path} has the fingerprint {model.Fingerprint}, but the plan was made for {spec.ModelFingerprint}: copy the same files to every node."));
        }

        var memory = BuiltinMemory.Stage(model, spec.FirstLayer, spec.LayerCount, spec.ContextTokens, spec.MaxConcurrency, chunkTokens, workers);
        if (spec.MemoryLimitBytes > 0 && memory.TotalBytes > spec.MemoryLimitBytes)
        {
            problems.Add(new ShardProblem(
                "memory",
                $"Layers {spec.FirstLayer} to {spec.EndLayer - 1} of {model.Id} need {memory.TotalBytes} bytes (weights {memory.WeightBytes}, KV cache {memory.KvCacheBytes}, workspace {memory.WorkspaceBytes}), but the plan allows {spec.MemoryLimitBytes}.",
                memory.TotalBytes,
                spec.MemoryLimitBytes));
        }

        return new ShardCheck([.. problems], memory.WeightBytes, memory.KvCacheBytes, memory.WorkspaceBytes);
    }

    private static void CheckLimits(ShardSpec spec, ModelConfig config, List<ShardProblem> problems)
    {
        if (spec.LayerCount < 1 || spec.FirstLayer < 0 || (long)spec.FirstLayer + spec.LayerCount > config.LayerCount)
        {
            problems.Add(new ShardProblem(
                "layers",
                $"Layers {spec.FirstLayer} to {spec.FirstLayer + (long)spec.LayerCount} (half-open) are no range of the model's {config.LayerCount} layers.",
                spec.LayerCount,
                config.LayerCount));
        }
        else if (spec.IsFirstStage != (spec.FirstLayer == 0) || spec.IsLastStage != (spec.EndLayer == config.LayerCount))
        {
            problems.Add(new ShardProblem(
                "layers",
                $"Rank {spec.Rank} of {spec.WorldSize} holds the layers {spec.FirstLayer} to {spec.EndLayer} (half-open) of {config.LayerCount}, but the highest rank must hold the first layer and rank 0 the last one."));
        }

        if (spec.ContextTokens < 1 || spec.ContextTokens > config.MaxContextTokens)
        {
            problems.Add(new ShardProblem(
                "context", $"A context of {spec.ContextTokens} tokens was asked for; the model takes 1 to {config.MaxContextTokens}.", spec.ContextTokens, config.MaxContextTokens));
        }

        if (spec.MaxConcurrency is < 1 or > 1024)
        {
            problems.Add(new ShardProblem("concurrency", $"A concurrency of {spec.MaxConcurrency} was asked for; 1 to 1024 are possible.", spec.MaxConcurrency, 1024));
        }

        if (spec.Rank < 0 || spec.Rank >= spec.WorldSize)
        {
            problems.Add(new ShardProblem("ranks", $"Rank {spec.Rank} is none of the {spec.WorldSize} ranks."));
        }
    }

    private static void CheckTensors(ShardSpec spec, ModelFolder model, List<ShardProblem> problems)
    {
        try
        {
            DenseDecoderShapes.Check(model, spec.FirstLayer, spec.LayerCount, spec.IsFirstStage, spec.IsLastStage);
        }
        catch (ModelFileException exception)
        {
            problems.Add(new ShardProblem("model", exception.Message));
        }
    }
}
