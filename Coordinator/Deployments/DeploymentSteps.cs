using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Does what the reconciler says.</summary>
internal sealed class DeploymentSteps(PlanStep planning, LaunchSteps launching, StopStep stopping, DeploymentChanges changes)
{
    /// <summary>Runs <paramref name="actions"/> in order; stops go out together, after the rest.</summary>
    public async Task RunAsync(Deployment deployment, ImmutableArray<DeploymentAction> actions, CancellationToken cancellationToken)
    {
        foreach (var action in actions)
        {
            await (action switch
            {
                DeploymentAction.Plan => planning.RunAsync(deployment, cancellationToken),
                DeploymentAction.Prepare => launching.PrepareAsync(deployment, cancellationToken),
                DeploymentAction.Start start => launching.StartAsync(deployment, start.Ranks, cancellationToken),
                DeploymentAction.Become become =>
                    changes.ApplyAsync(deployment, (newest, now) => newest.Become(become.State, become.Reason, now), cancellationToken),
                DeploymentAction.Relaunch again => changes.RelaunchAsync(deployment, again.Reason, again.Counts, cancellationToken),
                _ => Task.CompletedTask,
            });
        }

        await Task.WhenAll(actions.OfType<DeploymentAction.Stop>()
            .Select(stop => stopping.RunAsync(deployment.Id, stop.NodeId, stop.Generation, cancellationToken)));
    }
}
