using ClusterLlm.Coordinator.Hosting;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>What becomes of a deployment by what happened. Pure.</summary>
internal static class DeploymentTransitions
{
    // assumed: a launch that breaks at once breaks within seconds, a rare failure comes hours apart.
    private static readonly TimeSpan StableAfter = TimeSpan.FromMinutes(1);

    // A deployment whose plans all fail comes to an end, also when its plans change for other reasons.
    private const int MostPlans = 3;

    public static Deployment Become(this Deployment deployment, DeploymentState state, string? reason, DateTimeOffset now)
    {
        // It ran well for a while: what went wrong before that no longer counts.
        var stable = deployment.State == DeploymentState.Ready && state != DeploymentState.Ready;
        return deployment with
        {
            State = state,
            Reason = reason,
            StateSince = state == deployment.State ? deployment.StateSince : now,
            RetryAt = state == DeploymentState.Ready ? null : deployment.RetryAt,
            Failures = stable ? StableFailures(deployment, now) : deployment.Failures,
            BlockedBy = state == deployment.State ? deployment.BlockedBy : null,
        };
    }

    /// <summary>A plan was found: a new generation, since what runs by another plan can't stay.</summary>
    public static Deployment Planned(this Deployment deployment, DeploymentPlan plan, DateTimeOffset now) =>
        (deployment with { Plan = plan, Generation = deployment.Generation + 1, RetryAt = null, BlockedBy = null })
            .Become(DeploymentState.Preparing, deployment.Reason, now);

    /// <summary>There is no plan on the nodes of now; other nodes may change that.</summary>
    /// <param name="signature">See <see cref="ActualState.Signature"/>.</param>
    public static Deployment Refused(this Deployment deployment, string summary, string signature, DateTimeOffset now)
    {
        // A deployment that still answers keeps on doing so.
        var state = deployment.State == DeploymentState.Ready ? DeploymentState.Ready : DeploymentState.Degraded;
        var cause = deployment.State == DeploymentState.Ready ? "A node is draining, but the others can't take over" : "Waits for other nodes";
        var before = deployment.BlockedBy is null && deployment.State != DeploymentState.Ready && deployment.Reason is { } reason && !reason.Contains(cause, StringComparison.Ordinal)
            ? $"{reason} " : "";
        return deployment.Become(state, $"{before}{cause}: {summary}", now) with { BlockedBy = signature };
    }

    /// <summary>
    /// No node has the model, as far as they have told. They tell a moment after they have joined, and files may come later: no node changes by that, so time has to
    /// bring the next attempt.
    /// </summary>
    public static Deployment WithoutModel(this Deployment deployment, string summary, DeploymentsOptions options, DateTimeOffset now) =>
        deployment.Refused(summary, "", now) with { BlockedBy = null, RetryAt = now + options.RetryFirst };

    /// <summary>A launch is given up: what runs of it becomes stale, and it is tried again later or given up for good.</summary>
    /// <param name="planIsBad">Its plan has failed too often: another one is looked for at once.</param>
    public static Deployment Relaunched(
        this Deployment deployment, string reason, bool counts, bool planIsBad, DeploymentsOptions options, DateTimeOffset now)
    {
        var failures = deployment.Failures + (counts ? 1 : 0);
        if (failures >= options.MaxAttempts * MostPlans)
        {
            return (deployment with { Failures = failures }).GivenUp(reason, now);
        }

        var next = deployment with
        {
            Generation = deployment.Generation + 1,
            Failures = failures,
            RetryAt = counts && !planIsBad ? now + Backoff.Delay(failures, options.RetryFirst, options.RetryLongest, jitter: 0) : null,
        };
        return next.Become(DeploymentState.Planning, planIsBad ? $"{reason.TrimEnd('.')}. Its plan is bad, another one is looked for." : reason, now);
    }

    /// <summary>Nothing more is tried after these failures.</summary>
    public static Deployment GivenUp(this Deployment deployment, string reason, DateTimeOffset now) => deployment.Failed(
        deployment.Failures <= 1 ? reason : $"{reason.TrimEnd('.')}. Given up after {deployment.Failures} attempts.", now);

    /// <summary>Nothing more is tried.</summary>
    public static Deployment Failed(this Deployment deployment, string reason, DateTimeOffset now) =>
        deployment.Become(DeploymentState.Failed, reason, now) with { RetryAt = null };

    /// <summary>A person wants it stopped.</summary>
    public static Deployment Unwanted(this Deployment deployment, DateTimeOffset now) =>
        (deployment with { Wanted = false, RetryAt = null }).Become(DeploymentState.Stopping, null, now);

    /// <summary>A person wants it started anew.</summary>
    public static Deployment Restarted(this Deployment deployment, DateTimeOffset now) =>
        (deployment with { Wanted = true, Generation = deployment.Generation + 1, Failures = 0, RetryAt = null, BlockedBy = null })
            .Become(DeploymentState.Planning, "Restarted by request.", now);

    /// <summary>It has run for so long that what went wrong before no longer counts.</summary>
    public static bool IsProven(this Deployment deployment, DateTimeOffset now) =>
        deployment.State == DeploymentState.Ready && now - deployment.StateSince >= StableAfter;

    private static int StableFailures(Deployment deployment, DateTimeOffset now) =>
        now - deployment.StateSince >= StableAfter ? 0 : deployment.Failures;
}
