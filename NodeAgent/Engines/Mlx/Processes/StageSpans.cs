using System.Diagnostics;
using ClusterLlm.NodeAgent.Telemetry;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Processes;

/// <summary>One span for each traced request on this rank's stage, in the request's trace; made when the rank's process says that the request is over.</summary>
internal sealed class StageSpans(ShardSpec spec, TimeProvider time)
{
    private static readonly ActivitySource Source = new(NodeMetrics.MeterName);

    private readonly string _name = $"stage layers {spec.FirstLayer}-{spec.FirstLayer + spec.LayerCount - 1}";

    /// <summary>What holds no trace context is left alone: it concerns telemetry only.</summary>
    public void Record(RankEvent stage)
    {
        if (!ActivityContext.TryParse(stage.Trace, null, isRemote: true, out var parent))
        {
            return;
        }

        var end = time.GetUtcNow();
        using var span = Source.StartActivity(
            ActivityKind.Internal,
            parent,
            [
                new("clusterllm.node.id", spec.Ranks[spec.Rank].NodeId),
                new("clusterllm.deployment.id", spec.DeploymentId),
                new("clusterllm.shard.rank", spec.Rank),
                new("clusterllm.shard.first_layer", spec.FirstLayer),
                new("clusterllm.shard.layer_count", spec.LayerCount),
                // Of all requests that were decoded together: their steps are the same.
                new("clusterllm.stage.steps", stage.Steps),
                new("clusterllm.stage.compute_seconds", stage.ComputeMs / 1000),
            ],
            links: null,
            end - TimeSpan.FromMilliseconds(stage.DurationMs),
            _name);
        span?.SetEndTime(end.UtcDateTime);
    }
}
