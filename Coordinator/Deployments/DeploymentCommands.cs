using ClusterLlm.Coordinator.Deployments.FailedPlans;
using ClusterLlm.Coordinator.Nodes;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>What came of a request to deploy.</summary>
internal abstract record DeployResult
{
    private DeployResult()
    {
    }

    internal sealed record Accepted(Deployment Deployment) : DeployResult;

    internal sealed record Conflict(string Message) : DeployResult;

    internal sealed record NotPlanned(PlanningResult Result) : DeployResult;
}

/// <summary>What people want of deployments.</summary>
internal sealed class DeploymentCommands(
    DeploymentRegistry deployments, DeploymentPlanner planner, NodeRegistry nodes, PlanFailures failures, TimeProvider time)
{
    // Two requests that were planned with the same memory: the later one is planned again on what the first one left.
    private const int PlanAttempts = 3;

    private static readonly TimeSpan StopLimit = TimeSpan.FromMinutes(2);

    /// <summary>Plans, and keeps the deployment as desired state if there is a plan.</summary>
    public async Task<DeployResult> DeployAsync(DeploymentSpec spec, CancellationToken cancellationToken)
    {
        string? conflict = null;
        for (var attempt = 0; attempt < PlanAttempts; attempt++)
        {
            if (NameConflict(spec, deployments.Current.Values) is { } taken)
            {
                return new DeployResult.Conflict(taken);
            }

            var planning = await planner.PlanAsync(spec, except: null, cancellationToken);
            if (planning is not PlanningResult.Planned planned)
            {
                return new DeployResult.NotPlanned(planning);
            }

            var now = time.GetUtcNow();
            var deployment = new Deployment(
                $"dep-{Guid.NewGuid():N}"[..16],
                spec,
                now,
                Wanted: true,
                Generation: 1,
                DeploymentState.Preparing,
                now,
                Reason: null,
                planned.Plan,
                Failures: 0,
                RetryAt: null,
                BlockedBy: null);
            conflict = await deployments.AddAsync(
                deployment, others => NameConflict(spec, others) ?? PlanCheck.Problem(deployment, nodes.Current, others), cancellationToken);
            if (conflict is null)
            {
                if (spec.RetryBadPlan)
                {
                    await failures.ForgetAsync(failure => failure.Fingerprint == planned.Plan.PlanFingerprint, cancellationToken);
                }

                return new DeployResult.Accepted(deployment);
            }
        }

        return new DeployResult.Conflict($"The cluster changed while it was planned: {conflict} Try again.");
    }

    /// <summary>Stops a deployment; one that has stopped already, or was never wanted again after a failure, is forgotten.</summary>
    /// <returns>The deployment while it stops; <see langword="null"/> when it was forgotten.</returns>
    public async Task<Deployment?> StopAsync(string id, CancellationToken cancellationToken)
    {
        if (deployments.Current.TryGetValue(id, out var known) && known.State == DeploymentState.Stopped)
        {
            await deployments.RemoveAsync(id, cancellationToken);
            return null;
        }

        return await deployments.ChangeAsync(id, deployment => deployment.Wanted ? deployment.Unwanted(time.GetUtcNow()) : deployment, cancellationToken);
    }

    /// <summary>Stops a deployment, waits until its memory is free, for two minutes at most, and leaves it in no list.</summary>
    public async Task StopAndForgetAsync(string id, CancellationToken cancellationToken)
    {
        if (await StopAsync(id, cancellationToken) is null)
        {
            return;
        }

        using var limit = new CancellationTokenSource(StopLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        using var changes = deployments.Subscribe();
        try
        {
            await foreach (var all in changes.AllAsync(either.Token))
            {
                if (!all.TryGetValue(id, out var now) || now.State == DeploymentState.Stopped)
                {
                    break;
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // A shard that does not end keeps it in the list, stopping, where people see it.
            return;
        }

        await StopAsync(id, cancellationToken);
    }

    /// <summary>Starts a deployment anew, whatever state it is in; its plans that have failed are tried again.</summary>
    public async Task<DeployResult?> RestartAsync(string id, CancellationToken cancellationToken)
    {
        if (!deployments.Current.TryGetValue(id, out var known))
        {
            return null;
        }

        if (NameConflict(known.Spec, deployments.Current.Values.Where(other => other.Id != id)) is { } taken)
        {
            return new DeployResult.Conflict(taken);
        }

        await failures.ForgetAsync(failure => failure.DeploymentId == id || failure.Fingerprint == known.Plan?.PlanFingerprint, cancellationToken);
        return await deployments.ChangeAsync(id, deployment => deployment.Restarted(time.GetUtcNow()), cancellationToken) is { } restarted
            ? new DeployResult.Accepted(restarted)
            : null;
    }

    private static string? NameConflict(DeploymentSpec spec, IEnumerable<Deployment> others) =>
        others.FirstOrDefault(other => other.Name == spec.Name && other.State != DeploymentState.Stopped) is { } holder
            ? $"The name '{spec.Name}' is taken by deployment {holder.Id}, which is {holder.State.ToString().ToLowerInvariant()}. "
                + $"Give another name, or stop that one first (DELETE /api/deployments/{holder.Id})."
            : null;
}
