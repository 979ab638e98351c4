using System.Collections.Immutable;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Nodes;
using static ClusterLlm.Coordinator.Tests.Deployments.DeploymentBuilders;

namespace ClusterLlm.Coordinator.Tests.Deployments;

/// <summary>Three agents and one deployment without any I/O: does what the reconciler says and checks each step.</summary>
internal sealed class ReconcilerSimulation
{
    private static readonly DeploymentsOptions Options = new();
    private readonly Dictionary<string, SimulatedNode> _nodes = new[] { "a", "b", "c" }.ToDictionary(id => id, id => new SimulatedNode());
    private DateTimeOffset _now = Later;

    public Deployment Deployment { get; private set; } = Deployment(DeploymentState.Preparing, "a", "b", "c");

    /// <summary>What was done wrong; <see langword="null"/> as long as all is well.</summary>
    public string? Violation { get; private set; }

    public IEnumerable<(string NodeId, ShardFact Shard)> LiveShards =>
        _nodes.SelectMany(node => node.Value.Shards.Where(shard => shard.IsAlive), (node, shard) => (node.Key, shard));

    /// <summary>One event from outside, chosen by <paramref name="kind"/>, then a few rounds of the worker.</summary>
    public void Step(int kind, int which)
    {
        var node = _nodes.Values.ElementAt(which % 3);
        switch (kind % 9)
        {
            case 0: node.Crash(); break;
            case 1: node.State = NodeState.Lost; break;
            case 2: node.State = NodeState.Ready; break;
            case 3: node.State = NodeState.Draining; break;
            case 4: node.FailShard(); break;
            case 5: FinishLoading(); break;
            case 6: _now += TimeSpan.FromSeconds(which % 40); break;
            case 7 when which % 5 == 0: Deployment = Deployment.Wanted ? Deployment.Unwanted(_now) : Deployment; break;
            case 8 when which % 5 == 0: Deployment = Deployment.Restarted(_now); break;
            default: break;
        }

        Rounds(1 + (which % 4));
    }

    /// <summary>All nodes are well and nothing fails any more: runs until nothing is left to do.</summary>
    public void Settle()
    {
        foreach (var node in _nodes.Values)
        {
            node.State = NodeState.Ready;
        }

        for (var round = 0; round < 60; round++)
        {
            Rounds(3);
            FinishLoading();
            _now += TimeSpan.FromSeconds(31);
        }
    }

    private void Rounds(int count)
    {
        for (var round = 0; round < count; round++)
        {
            foreach (var action in Reconciler.Decide(Deployment, Actual(), Options, _now))
            {
                Do(action);
            }
        }
    }

    private void Do(DeploymentAction action)
    {
        switch (action)
        {
            case DeploymentAction.Plan:
                string[] able = [.. _nodes.Where(node => node.Value.State == NodeState.Ready).Select(node => node.Key)];
                Deployment = able.Length == 0 ? Deployment.Refused("nothing left", Actual().Signature, _now) : Deployment.Planned(Plan(able), _now);
                break;
            case DeploymentAction.Prepare:
                Deployment = Deployment.Become(DeploymentState.Loading, null, _now);
                break;
            case DeploymentAction.Start start:
                StartRanks(start.Ranks);
                break;
            case DeploymentAction.Stop stop:
                _nodes[stop.NodeId].Stop(stop.Generation);
                break;
            case DeploymentAction.Become become:
                Deployment = Deployment.Become(become.State, become.Reason, _now);
                break;
            case DeploymentAction.Relaunch again:
                Deployment = Deployment.Relaunched(again.Reason, again.Counts, planIsBad: false, Options, _now);
                break;
            default:
                break;
        }
    }

    private void StartRanks(ImmutableArray<int> ranks)
    {
        foreach (var stage in Deployment.Plan!.Placement.Stages.Where(stage => ranks.Contains(stage.Rank)))
        {
            var node = _nodes[stage.NodeId];
            if (node.Shards.Any(shard => shard.IsAlive))
            {
                Violation ??= $"rank {stage.Rank} is started on {stage.NodeId}, where {node.Shards.First(shard => shard.IsAlive)} still runs";
            }

            if (LiveShards.Any(live => live.Shard.Generation == Deployment.Generation && live.Shard.Rank == stage.Rank))
            {
                Violation ??= $"rank {stage.Rank} of generation {Deployment.Generation} is started twice";
            }

            if (node.State is not (NodeState.Ready or NodeState.Draining))
            {
                Violation ??= $"rank {stage.Rank} is started on {stage.NodeId}, which is {node.State}";
            }

            node.Shards.RemoveAll(shard => !shard.IsAlive);
            node.Shards.Add(Shard(stage.Rank, ShardStage.Loading, Deployment.Generation));
        }
    }

    private void FinishLoading()
    {
        foreach (var node in _nodes.Values)
        {
            node.Replace(ShardStage.Loading, ShardStage.Ready);
        }
    }

    private ActualState Actual() => DeploymentBuilders.Actual(
        [.. _nodes.Select(node => Node(node.Key, node.Value.State, [.. node.Value.State == NodeState.Lost ? [] : node.Value.Shards]))]);

    private sealed class SimulatedNode
    {
        public NodeState State { get; set; } = NodeState.Ready;

        public List<ShardFact> Shards { get; } = [];

        public void Crash()
        {
            State = NodeState.Lost;
            Shards.Clear();
        }

        public void FailShard() => Replace(ShardStage.Ready, ShardStage.Failed);

        public void Stop(int generation) => Shards.RemoveAll(shard => generation == 0 || shard.Generation <= generation);

        public void Replace(ShardStage from, ShardStage to)
        {
            for (var index = 0; index < Shards.Count; index++)
            {
                Shards[index] = Shards[index].Stage == from ? Shards[index] with { Stage = to } : Shards[index];
            }
        }
    }
}
