using ClusterLlm.Coordinator.Data;
using Microsoft.EntityFrameworkCore;

namespace ClusterLlm.Coordinator.Nodes.Adding.Ssh;

/// <summary>Host keys that were trusted once.</summary>
internal sealed class HostKeyStore(IDbContextFactory<CoordinatorDbContext> contexts, TimeProvider time)
{
    public async Task<HostKey?> FindAsync(string host, int port, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var row = await context.HostKeys.AsNoTracking().FirstOrDefaultAsync(one => one.Host == host && one.Port == port, cancellationToken);
        return row is null ? null : new HostKey(row.KeyType, row.Fingerprint);
    }

    /// <summary>Keeps <paramref name="key"/>, in place of another one.</summary>
    public async Task PinAsync(string host, int port, HostKey key, CancellationToken cancellationToken)
    {
        if (await FindAsync(host, port, cancellationToken) == key)
        {
            return;
        }

        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        await context.HostKeys.Where(row => row.Host == host && row.Port == port).ExecuteDeleteAsync(cancellationToken);
        context.HostKeys.Add(new HostKeyRow { Host = host, Port = port, KeyType = key.Type, Fingerprint = key.Fingerprint, PinnedAtUnixMs = time.GetUtcNow().ToUnixTimeMilliseconds() });
        await context.SaveChangesAsync(cancellationToken);
    }
}
