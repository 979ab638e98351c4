using System.Collections.Immutable;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Coordinator.Placement;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Does what the reconciler says, and notes what came of it.</summary>
internal sealed partial class DeploymentSteps(
    DeploymentRegistry deployments,
    DeploymentPlanner planner,
    NodeRegistry nodes,
    ShardRegistry shards,
    ShardClient client,
    IOptions<DeploymentsOptions> options,
    TimeProvider time,
    ILogger<DeploymentSteps> logger)
{
    /// <summary>Runs <paramref name="actions"/> in order; stops at the first one that changes the course.</summary>
    public async Task RunAsync(Deployment deployment, ImmutableArray<DeploymentAction> actions, CancellationToken cancellationToken)
    {
        var stops = actions.OfType<DeploymentAction.Stop>().ToArray();
        foreach (var action in actions.Where(action => action is not DeploymentAction.Stop))
        {
            await (action switch
            {
                DeploymentAction.Plan => PlanAsync(deployment, cancellationToken),
                DeploymentAction.Prepare => PrepareAsync(deployment, cancellationToken),
                DeploymentAction.Start start => StartAsync(deployment, start.Ranks, cancellationToken),
                DeploymentAction.Become become => ChangeAsync(deployment, d => d.Become(become.State, become.Reason, Now), cancellationToken),
                DeploymentAction.Relaunch again => RelaunchAsync(deployment, again.Reason, again.Counts, cancellationToken),
                _ => Task.CompletedTask,
            });
        }

        await Task.WhenAll(stops.Select(stop => StopAsync(deployment.Id, stop.NodeId, stop.Generation, cancellationToken)));
    }

    /// <summary>Stops shards on one node; a failure is logged, and the next round tries again.</summary>
    public async Task StopAsync(string deploymentId, string nodeId, int generation, CancellationToken cancellationToken)
    {
        if (!nodes.Current.TryGetValue(nodeId, out var node))
        {
            return;
        }

        var outcome = await client.StopAsync(node, deploymentId, generation, cancellationToken);
        if (outcome.Problem is { } problem)
        {
            LogStopFailed(deploymentId, nodeId, problem);
            await Task.Delay(options.Value.RetryFirst, time, cancellationToken);
        }
    }

    private DateTimeOffset Now => time.GetUtcNow();

    private async Task PlanAsync(Deployment deployment, CancellationToken cancellationToken)
    {
        if (deployment.State == DeploymentState.Pending)
        {
            await ChangeAsync(deployment, d => d.Become(DeploymentState.Planning, d.Reason, Now), cancellationToken);
        }

        var signature = ActualState.From(nodes.Current, shards.Current, Now).Signature;
        var result = await planner.PlanAsync(deployment.Spec, deployment.Id, cancellationToken);
        await ChangeAsync(deployment, d => result switch
        {
            PlanningResult.Planned planned => d.Planned(planned.Plan, Now),
            PlanningResult.Refused refused => d.Refused(refused.Summary, signature, Now),
            PlanningResult.NoModel none => d.Refused(none.Summary, signature, Now),
            _ => null,
        }, cancellationToken);
    }

    private async Task PrepareAsync(Deployment deployment, CancellationToken cancellationToken)
    {
        if (PlanCheck.Problem(deployment, nodes.Current, [.. deployments.Current.Values]) is { } problem)
        {
            await RelaunchAsync(deployment, $"The plan no longer holds: {problem}", counts: true, cancellationToken);
            return;
        }

        var outcomes = await CallAllAsync(deployment, deployment.Plan!.Placement.Stages, client.PrepareAsync, cancellationToken);
        if (outcomes.Problem is null)
        {
            await ChangeAsync(deployment, d => d.Become(DeploymentState.Loading, null, Now), cancellationToken);
        }
        else if (outcomes.Transient)
        {
            await RelaunchAsync(deployment, outcomes.Problem, counts: true, cancellationToken);
        }
        else
        {
            await ChangeAsync(deployment, d => d.Failed(outcomes.Problem, Now), cancellationToken);
        }
    }

    private async Task StartAsync(Deployment deployment, ImmutableArray<int> ranks, CancellationToken cancellationToken)
    {
        ImmutableArray<PlacementStage> stages = [.. deployment.Plan!.Placement.Stages.Where(stage => ranks.Contains(stage.Rank))];
        var outcomes = await CallAllAsync(deployment, stages, client.StartAsync, cancellationToken);
        if (outcomes.Problem is null)
        {
            return;
        }

        await (outcomes.Transient
            ? RelaunchAsync(deployment, outcomes.Problem, counts: true, cancellationToken)
            : ChangeAsync(deployment, d => d.Failed(outcomes.Problem, Now), cancellationToken));
    }

    private async Task<ShardOutcome> CallAllAsync(
        Deployment deployment,
        ImmutableArray<PlacementStage> stages,
        Func<NodeSnapshot, Protos.V1.ShardSpec, CancellationToken, Task<ShardOutcome>> call,
        CancellationToken cancellationToken)
    {
        var known = nodes.Current;
        if (deployment.Plan!.Placement.Stages.FirstOrDefault(stage => !known.ContainsKey(stage.NodeId)) is { } gone)
        {
            return new ShardOutcome($"Node {gone.NodeId} has left.", Transient: true);
        }

        var outcomes = await Task.WhenAll(stages.Select(async stage =>
            (Stage: stage, Outcome: await call(known[stage.NodeId], deployment.ToSpec(stage, known), cancellationToken))));
        var failed = outcomes.Where(pair => pair.Outcome.Problem is not null).ToArray();
        return failed.Length == 0
            ? ShardOutcome.Done
            : new ShardOutcome(
                string.Join(' ', failed.Select(pair => $"Node {pair.Stage.NodeId}, rank {pair.Stage.Rank}: {pair.Outcome.Problem}")),
                failed.All(pair => pair.Outcome.Transient));
    }

    private Task<Deployment?> RelaunchAsync(Deployment deployment, string reason, bool counts, CancellationToken cancellationToken)
    {
        LogRelaunch(deployment.Name, deployment.Id, reason);
        return ChangeAsync(deployment, d => d.Relaunched(reason, counts, options.Value, Now), cancellationToken);
    }

    // What a person did meanwhile (delete, restart) wins over what this step found out about the launch before it.
    private Task<Deployment?> ChangeAsync(Deployment deployment, Func<Deployment, Deployment?> change, CancellationToken cancellationToken) =>
        deployments.ChangeAsync(
            deployment.Id,
            now => now.Generation == deployment.Generation && now.Wanted == deployment.Wanted ? change(now) : null,
            cancellationToken);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Deployment {Name} ({Id}) is launched again: {Reason}")]
    private partial void LogRelaunch(string name, string id, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The shards of deployment {Id} on node {NodeId} could not be stopped: {Reason}")]
    private partial void LogStopFailed(string id, string nodeId, string reason);
}
