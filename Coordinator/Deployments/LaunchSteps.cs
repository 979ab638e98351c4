using System.Collections.Immutable;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Coordinator.Nodes.Links;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Brings a plan to the agents: all are asked first, then all are started.</summary>
internal sealed class LaunchSteps(DeploymentRegistry deployments, DeploymentChanges changes, NodeRegistry nodes, LinkRegistry links, ShardClient client)
{
    /// <summary>Checks the plan against the cluster of now, then asks every agent; nothing is started unless all agree.</summary>
    public async Task PrepareAsync(Deployment deployment, CancellationToken cancellationToken)
    {
        if (PlanCheck.Problem(deployment, nodes.Current, [.. deployments.Current.Values]) is { } problem)
        {
            await changes.ReplanAsync(deployment, $"The plan no longer holds: {problem}", cancellationToken);
            return;
        }

        var outcome = await CallAllAsync(deployment, deployment.Plan!.Placement.Stages, client.PrepareAsync, cancellationToken);
        await (outcome.Problem is null
            ? changes.ApplyAsync(deployment, (newest, now) => newest.Become(DeploymentState.Loading, null, now), cancellationToken)
            : GiveUpAsync(deployment, outcome, cancellationToken));
    }

    /// <summary>Starts the shards of <paramref name="ranks"/>, all at once.</summary>
    public async Task StartAsync(Deployment deployment, ImmutableArray<int> ranks, CancellationToken cancellationToken)
    {
        ImmutableArray<PlacementStage> stages = [.. deployment.Plan!.Placement.Stages.Where(stage => ranks.Contains(stage.Rank))];
        var outcome = await CallAllAsync(deployment, stages, client.StartAsync, cancellationToken);
        if (outcome.Problem is not null)
        {
            await GiveUpAsync(deployment, outcome, cancellationToken);
        }
    }

    // A refusal stays a refusal; what passes by itself (an agent that can't be reached, memory) is tried again, and says nothing of the plan.
    private Task<Deployment?> GiveUpAsync(Deployment deployment, ShardOutcome outcome, CancellationToken cancellationToken) => outcome.Transient
        ? changes.ReplanAsync(deployment, outcome.Problem!, cancellationToken)
        : changes.ApplyAsync(deployment, (newest, now) => newest.Failed(outcome.Problem!, now), cancellationToken);

    private async Task<ShardOutcome> CallAllAsync(
        Deployment deployment,
        ImmutableArray<PlacementStage> stages,
        Func<NodeSnapshot, ShardSpec, CancellationToken, Task<ShardOutcome>> call,
        CancellationToken cancellationToken)
    {
        var known = nodes.Current;
        if (deployment.Plan!.Placement.Stages.FirstOrDefault(stage => !known.ContainsKey(stage.NodeId)) is { } gone)
        {
            return new ShardOutcome($"Node {gone.NodeId} has left.", Transient: true);
        }

        var outcomes = await Task.WhenAll(stages.Select(async stage =>
            (Stage: stage, Outcome: await call(known[stage.NodeId], deployment.ToSpec(stage, known, links.Decide), cancellationToken))));
        var failed = outcomes.Where(pair => pair.Outcome.Problem is not null).ToArray();
        return failed.Length == 0
            ? ShardOutcome.Done
            : new ShardOutcome(
                string.Join(' ', failed.Select(pair => $"Node {pair.Stage.NodeId}, rank {pair.Stage.Rank}: {pair.Outcome.Problem}")),
                failed.All(pair => pair.Outcome.Transient));
    }
}
