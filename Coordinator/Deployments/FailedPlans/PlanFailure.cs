namespace ClusterLlm.Coordinator.Deployments.FailedPlans;

/// <summary>Launches by one plan that failed, one after the other.</summary>
/// <param name="Fingerprint">See <see cref="PlanFingerprint"/>.</param>
/// <param name="Plan">In words.</param>
/// <param name="Launches">In a row; ≥ 1.</param>
/// <param name="Reason">Of the last one: names node and rank.</param>
/// <param name="DeploymentId">Whose launch was the last one.</param>
internal sealed record PlanFailure(string Fingerprint, string Plan, int Launches, DateTimeOffset LastAt, string Reason, string DeploymentId)
{
    /// <summary>It failed so often that nothing is started by it without a person's word.</summary>
    public bool IsBad(int maxAttempts) => Launches >= maxAttempts;

    /// <summary>What happened, in one or two sentences.</summary>
    public string Describe() => FormattableString.Invariant(
        $"The plan {Plan} has failed {Launches} launches in a row, last at {LastAt:yyyy-MM-dd HH:mm:ss} UTC: {Reason.TrimEnd('.')}.");

    /// <summary>How a person has it tried again.</summary>
    public string Remedy() =>
        $"To try it again, restart the deployment that failed (POST /api/deployments/{DeploymentId}/restart) or send \"retryBadPlan\": true.";
}
