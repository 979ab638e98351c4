using System.Collections.Concurrent;
using ClusterLlm.Coordinator.Data;
using Microsoft.EntityFrameworkCore;

namespace ClusterLlm.Coordinator.Calibration;

/// <summary>A deployment's decode speed while it served one request.</summary>
internal sealed record MeasuredSpeed(double TokensPerSecond, DateTimeOffset MeasuredAt);

/// <summary>The measured speed of every deployment, kept beside its prediction when it has ended.</summary>
internal sealed class SpeedHistory(IDbContextFactory<CoordinatorDbContext> contexts)
{
    // Below this a new best is noise.
    private const double Step = 1.02;

    private readonly ConcurrentDictionary<string, MeasuredSpeed> _best = new(StringComparer.Ordinal);

    public MeasuredSpeed? Find(string deploymentId) => _best.GetValueOrDefault(deploymentId);

    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        foreach (var row in await context.Speeds.AsNoTracking().ToListAsync(cancellationToken))
        {
            _best[row.DeploymentId] = new MeasuredSpeed(row.TokensPerSecond, DateTimeOffset.FromUnixTimeMilliseconds(row.MeasuredAtUnixMs));
        }
    }

    /// <summary>Notes a reading; the highest one counts, since lower ones hold pauses and prefills.</summary>
    public async Task NoteAsync(string deploymentId, double tokensPerSecond, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (tokensPerSecond <= (Find(deploymentId)?.TokensPerSecond * Step ?? 0))
        {
            return;
        }

        _best[deploymentId] = new MeasuredSpeed(tokensPerSecond, now);
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        await context.Speeds.Where(row => row.DeploymentId == deploymentId).ExecuteDeleteAsync(cancellationToken);
        context.Speeds.Add(new SpeedRow { DeploymentId = deploymentId, TokensPerSecond = tokensPerSecond, MeasuredAtUnixMs = now.ToUnixTimeMilliseconds() });
        await context.SaveChangesAsync(cancellationToken);
    }
}
