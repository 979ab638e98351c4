using System.Collections.Immutable;
using ClusterLlm.Coordinator.Data;
using Microsoft.EntityFrameworkCore;

namespace ClusterLlm.Coordinator.Deployments.FailedPlans;

/// <summary>Failures of plans on disk.</summary>
internal sealed class PlanFailureStore(IDbContextFactory<CoordinatorDbContext> contexts)
{
    public async Task<ImmutableArray<PlanFailure>> LoadAsync(CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await context.PlanFailures.AsNoTracking().ToListAsync(cancellationToken);
        return [.. rows.Select(row => new PlanFailure(
            row.Fingerprint, row.Plan, row.Launches, DateTimeOffset.FromUnixTimeMilliseconds(row.LastAtUnixMs), row.Reason, row.DeploymentId))];
    }

    public async Task SaveAsync(PlanFailure failure, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var row = new PlanFailureRow
        {
            Fingerprint = failure.Fingerprint,
            Plan = failure.Plan,
            Launches = failure.Launches,
            LastAtUnixMs = failure.LastAt.ToUnixTimeMilliseconds(),
            Reason = failure.Reason,
            DeploymentId = failure.DeploymentId,
        };
        if (await context.PlanFailures.FindAsync([failure.Fingerprint], cancellationToken) is { } known)
        {
            context.Entry(known).CurrentValues.SetValues(row);
        }
        else
        {
            context.PlanFailures.Add(row);
        }

        await context.SaveChangesAsync(cancellationToken);
    }

    public async Task DeleteAsync(IReadOnlyCollection<string> fingerprints, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        await context.PlanFailures.Where(row => fingerprints.Contains(row.Fingerprint)).ExecuteDeleteAsync(cancellationToken);
    }
}
