using ClusterLlm.Coordinator.Deployments.FailedPlans;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Notes what a step of a launch found out, unless a person has changed their mind meanwhile.</summary>
internal sealed partial class DeploymentChanges(
    DeploymentRegistry deployments, PlanFailures failures, IOptions<DeploymentsOptions> options, TimeProvider time, ILogger<DeploymentChanges> logger)
{
    /// <summary>Applies <paramref name="change"/> to the newest state of <paramref name="deployment"/>.</summary>
    /// <remarks>A delete or a restart during the step wins over what the step found out about the launch before it.</remarks>
    public Task<Deployment?> ApplyAsync(
        Deployment deployment, Func<Deployment, DateTimeOffset, Deployment?> change, CancellationToken cancellationToken) => deployments.ChangeAsync(
        deployment.Id, newest => IsSameLaunch(deployment, newest) ? change(newest, time.GetUtcNow()) : null, cancellationToken);

    /// <summary>Gives the launch up, to be planned anew.</summary>
    /// <param name="counts">It counts as a failure, of the deployment and of its plan.</param>
    public async Task<Deployment?> RelaunchAsync(Deployment deployment, string reason, bool counts, CancellationToken cancellationToken)
    {
        LogRelaunch(deployment.Name, deployment.Id, reason);
        var planIsBad = counts
            && deployments.Current.TryGetValue(deployment.Id, out var newest) && IsSameLaunch(deployment, newest)
            && await failures.NoteAsync(deployment, reason, cancellationToken);
        return await ApplyAsync(deployment, (current, now) => current.Relaunched(reason, counts, planIsBad, options.Value, now), cancellationToken);
    }

    /// <summary>The launch could not be made on the cluster as it is now: it counts as a failure of the deployment, but the plan is not to blame.</summary>
    public Task<Deployment?> ReplanAsync(Deployment deployment, string reason, CancellationToken cancellationToken)
    {
        LogRelaunch(deployment.Name, deployment.Id, reason);
        return ApplyAsync(deployment, (newest, now) => newest.Relaunched(reason, counts: true, planIsBad: false, options.Value, now), cancellationToken);
    }

    private static bool IsSameLaunch(Deployment launched, Deployment newest) => newest.Generation == launched.Generation && newest.Wanted == launched.Wanted;

    [LoggerMessage(Level = LogLevel.Warning, Message = "Deployment {Name} ({Id}) is launched again: {Reason}")]
    private partial void LogRelaunch(string name, string id, string reason);
}
