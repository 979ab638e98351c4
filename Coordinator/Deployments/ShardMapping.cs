using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Coordinator.Nodes.Links;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>From plans to the wire's shards, and back.</summary>
internal static class ShardMapping
{
    /// <summary>What an agent reports; <see langword="null"/> for a phase this version does not know.</summary>
    public static ShardFact? ToFact(this ShardState state)
    {
        ShardStage? stage = state.Phase switch
        {
            ShardPhase.Loading => ShardStage.Loading,
            ShardPhase.Connecting => ShardStage.Connecting,
            ShardPhase.Ready => ShardStage.Ready,
            ShardPhase.Stopping => ShardStage.Stopping,
            ShardPhase.Stopped => ShardStage.Stopped,
            ShardPhase.Failed => ShardStage.Failed,
            _ => null,
        };
        return stage is { } known
            ? new ShardFact(
                state.DeploymentId, (int)state.Generation, (int)state.Rank, known, (long)state.LoadedBytes, (long)state.TotalBytes, state.Reason)
            : null;
    }

    /// <summary>The shard of one stage, as its agent is told.</summary>
    /// <param name="nodes">The nodes of the plan, by id.</param>
    /// <param name="link">Where a node reaches another one.</param>
    public static ShardSpec ToSpec(
        this Deployment deployment, PlacementStage stage, IReadOnlyDictionary<string, NodeSnapshot> nodes, Func<NodeSnapshot, NodeSnapshot, LinkDecision> link)
    {
        var plan = deployment.Plan!;
        var placement = plan.Placement;
        var spec = new ShardSpec
        {
            DeploymentId = deployment.Id,
            Generation = (uint)deployment.Generation,
            Engine = placement.Engine,
            Model = plan.Paths[stage.NodeId],
            ModelFingerprint = plan.Fingerprint,
            Rank = (uint)stage.Rank,
            WorldSize = (uint)placement.Stages.Length,
            FirstLayer = (uint)stage.FirstLayer,
            LayerCount = (uint)stage.LayerCount,
            ContextTokens = (uint)placement.ContextTokens,
            MaxConcurrency = (uint)placement.MaxConcurrency,
            MicroBatches = (uint)placement.MicroBatches,
            MemoryLimitBytes = (ulong)(stage.TotalBytes + Slack(stage.TotalBytes)),
        };
        var oneMachine = placement.Stages.Select(each => nodes[each.NodeId].Facts.MachineId).Distinct(StringComparer.Ordinal).Count() == 1;
        spec.Ranks.AddRange(placement.Stages.OrderBy(each => each.Rank).Select(each => new RankEndpoint
        {
            NodeId = each.NodeId,
            Url = (oneMachine || each.NodeId == stage.NodeId ? null : link(nodes[stage.NodeId], nodes[each.NodeId]).Url)
                ?? NodeAddresses.ForNeighbours(nodes[each.NodeId], oneMachine),
        }));
        return spec;
    }

    /// <summary>
    /// What an engine's own sum may be above the plan's: each counts its runtime and buffers a little differently. Whether the node really has it, its agent
    /// checks against what is free.
    /// </summary>
    private static long Slack(long bytes) => (128L << 20) + (bytes / 16);
}
