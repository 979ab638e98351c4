using ClusterLlm.Coordinator.Deployments.FailedPlans;
using ClusterLlm.Coordinator.Nodes;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Plans a deployment again, on the nodes of now.</summary>
internal sealed class PlanStep(
    DeploymentPlanner planner, DeploymentChanges changes, NodeRegistry nodes, ShardRegistry shards, IOptions<DeploymentsOptions> options, TimeProvider time)
{
    public async Task RunAsync(Deployment deployment, CancellationToken cancellationToken)
    {
        // Taken before planning: a node that comes meanwhile must not count as tried.
        var signature = ActualState.From(nodes.Current, shards.Current, time.GetUtcNow()).Signature;
        var result = await planner.PlanAsync(deployment.Spec, deployment.Id, cancellationToken);
        await changes.ApplyAsync(deployment, (newest, now) => result switch
        {
            PlanningResult.Planned planned => newest.Planned(planned.Plan, now),
            // All that is left has failed before: nothing that waits would change that.
            PlanningResult.Refused refused when newest.State == DeploymentState.Planning && refused.Rejections.Any(each => each.Constraint == PlanChoice.Constraint) =>
                newest.GivenUp(refused.Summary, now),
            PlanningResult.Refused refused => newest.Refused(refused.Summary, signature, now),
            PlanningResult.NoModel none => newest.WithoutModel(none.Summary, options.Value, now),
            _ => null,
        }, cancellationToken);
    }
}
