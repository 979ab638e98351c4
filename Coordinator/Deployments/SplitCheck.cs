using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Whether a plan's stages make the whole model, before anything is started by it. Pure.</summary>
/// <remarks>An engine started with a layer missing becomes ready and answers rubbish (seen with exo), so this stands between plan and start.</remarks>
internal static class SplitCheck
{
    /// <summary>What is wrong with the split; <see langword="null"/> when every layer lies on exactly one node, in order.</summary>
    public static string? Problem(PlacementPlan plan, int layerCount)
    {
        if (plan.Stages.IsEmpty)
        {
            return "The plan has no stages.";
        }

        var next = 0;
        for (var index = 0; index < plan.Stages.Length; index++)
        {
            var stage = plan.Stages[index];
            if (stage.Rank != plan.Stages.Length - 1 - index)
            {
                return $"Stage {index} on node {stage.NodeId} has rank {stage.Rank} instead of {plan.Stages.Length - 1 - index}.";
            }

            if (stage.FirstLayer != next || stage.LayerCount < 1)
            {
                return $"Stage {index} on node {stage.NodeId} holds {stage.LayerCount} layers from {stage.FirstLayer}; it must begin at {next} and hold at least one.";
            }

            next += stage.LayerCount;
        }

        if (plan.Stages.Select(stage => stage.NodeId).Distinct(StringComparer.Ordinal).Count() != plan.Stages.Length)
        {
            return "A node appears twice in the plan.";
        }

        return next == layerCount ? null : $"The plan holds layers 0 to {next}, the model has {layerCount}.";
    }
}
