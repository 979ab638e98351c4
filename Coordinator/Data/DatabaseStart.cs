using ClusterLlm.Coordinator.Hosting;
using ClusterLlm.ServiceDefaults;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace ClusterLlm.Coordinator.Data;

/// <summary>Opens the database before anything else starts: applies migrations and makes the cluster's id at the first start.</summary>
internal sealed partial class DatabaseStart(
    IDbContextFactory<CoordinatorDbContext> contexts, ClusterHome home, ClusterIdentity identity, TimeProvider time, ILogger<DatabaseStart> logger)
    : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var database = CoordinatorDatabase.PathIn(home);
        home.Create();
        try
        {
            await using var context = await contexts.CreateDbContextAsync(cancellationToken);
            await context.Database.MigrateAsync(cancellationToken);

            // Readers don't wait for the writer; the setting stays with the file.
            await context.Database.ExecuteSqlRawAsync("PRAGMA journal_mode=WAL;", cancellationToken);
            identity.ClusterId = await ClusterIdAsync(context, cancellationToken);
        }
        catch (SqliteException e)
        {
            throw new InvalidOperationException(
                $"The database {database} can't be opened ({e.Message}). Move it away to start with an empty one, or set CLUSTERLLM_HOME to another folder.", e);
        }

        LogOpened(database, identity.ClusterId);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<string> ClusterIdAsync(CoordinatorDbContext context, CancellationToken cancellationToken)
    {
        var known = await context.Cluster.OrderBy(row => row.CreatedAtUnixMs).Select(row => row.ClusterId).FirstOrDefaultAsync(cancellationToken);
        if (known is not null)
        {
            return known;
        }

        var row = new ClusterRow { ClusterId = Guid.NewGuid().ToString("N"), CreatedAtUnixMs = time.GetUtcNow().ToUnixTimeMilliseconds() };
        context.Cluster.Add(row);
        await context.SaveChangesAsync(cancellationToken);
        return row.ClusterId;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "State in {Database}, cluster {ClusterId}.")]
    private partial void LogOpened(string database, string clusterId);
}
