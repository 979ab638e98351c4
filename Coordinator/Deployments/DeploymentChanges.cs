using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Notes what a step of a launch found out, unless a person has changed their mind meanwhile.</summary>
internal sealed partial class DeploymentChanges(
    DeploymentRegistry deployments, IOptions<DeploymentsOptions> options, TimeProvider time, ILogger<DeploymentChanges> logger)
{
    /// <summary>Applies <paramref name="change"/> to the newest state of <paramref name="deployment"/>.</summary>
    /// <remarks>A delete or a restart during the step wins over what the step found out about the launch before it.</remarks>
    public Task<Deployment?> ApplyAsync(
        Deployment deployment, Func<Deployment, DateTimeOffset, Deployment?> change, CancellationToken cancellationToken) => deployments.ChangeAsync(
        deployment.Id,
        newest => newest.Generation == deployment.Generation && newest.Wanted == deployment.Wanted ? change(newest, time.GetUtcNow()) : null,
        cancellationToken);

    /// <summary>Gives the launch up, to be planned anew.</summary>
    /// <param name="counts">It counts as a failure.</param>
    public Task<Deployment?> RelaunchAsync(Deployment deployment, string reason, bool counts, CancellationToken cancellationToken)
    {
        LogRelaunch(deployment.Name, deployment.Id, reason);
        return ApplyAsync(deployment, (newest, now) => newest.Relaunched(reason, counts, options.Value, now), cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Deployment {Name} ({Id}) is launched again: {Reason}")]
    private partial void LogRelaunch(string name, string id, string reason);
}
