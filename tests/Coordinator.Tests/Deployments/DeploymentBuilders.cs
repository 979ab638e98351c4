using System.Collections.Immutable;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Tests.Deployments;

/// <summary>Small builders for the reconciler's input.</summary>
internal static class DeploymentBuilders
{
    public const string Id = "dep-1";

    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Long after the grace that follows a start of the Coordinator.</summary>
    public static readonly DateTimeOffset Later = Start.AddHours(1);

    /// <summary>Six layers, cut evenly over the nodes.</summary>
    public static DeploymentPlan Plan(params string[] nodes)
    {
        var share = 6 / nodes.Length;
        ImmutableArray<PlacementStage> stages =
        [
            .. nodes.Select((node, index) => new PlacementStage(
                node, nodes.Length - 1 - index, index * share, index == nodes.Length - 1 ? 6 - (index * share) : share, 100, 10, 1)),
        ];
        return new DeploymentPlan(
            "tiny",
            "f1",
            6,
            512,
            new PlacementPlan("builtin", "only one", stages, 128, 1, 1, []),
            nodes.ToImmutableSortedDictionary(node => node, _ => "/models/tiny", StringComparer.Ordinal));
    }

    public static Deployment Deployment(DeploymentState state, params string[] nodes) => new(
        Id,
        new DeploymentSpec("demo", "tiny", PlacementObjective.Latency, 128, 1, "auto", [], [], UseAllNodes: false),
        Start,
        Wanted: true,
        Generation: 1,
        state,
        Later,
        Reason: null,
        nodes.Length == 0 ? null : Plan(nodes),
        Failures: 0,
        RetryAt: null,
        BlockedBy: null);

    public static ActualState Actual(params ActualNode[] nodes) =>
        new(nodes.ToImmutableSortedDictionary(node => node.NodeId, node => node, StringComparer.Ordinal), Start);

    public static ActualNode Node(string id, NodeState state, params ShardFact[] shards) => new(id, state, ShardsKnown: true, [.. shards]);

    public static ActualNode Node(string id, params ShardFact[] shards) => Node(id, NodeState.Ready, shards);

    public static ShardFact Shard(int rank, ShardStage stage, int generation = 1, string reason = "") =>
        new(Id, generation, rank, stage, stage == ShardStage.Ready ? 100 : 50, 100, reason);
}
