using System.Collections.Immutable;
using ClusterLlm.Coordinator.Data;
using Microsoft.EntityFrameworkCore;

namespace ClusterLlm.Coordinator.Security;

/// <summary>A key as it is kept: without its text.</summary>
internal sealed record ApiKeyEntry(string Id, string Name, string Hash, ApiScopes Scopes, DateTimeOffset CreatedAt, DateTimeOffset? RevokedAt);

/// <summary>Keys of the HTTP API in the database: hashes only.</summary>
internal sealed class ApiKeyStore(IDbContextFactory<CoordinatorDbContext> contexts, TimeProvider time)
{
    public const int LongestName = 100;

    /// <returns>The id and the only copy of the text.</returns>
    public async Task<(string Id, string Text)> CreateAsync(string name, ApiScopes scopes, CancellationToken cancellationToken)
    {
        var key = ApiKeyText.Create();
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        context.ApiKeys.Add(new ApiKeyRow
        {
            Id = key.Id,
            Name = name,
            KeyHash = ApiKeyText.Hash(key.Text),
            Scopes = ApiScopeRules.Text(scopes),
            CreatedAtUnixMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
        });
        await context.SaveChangesAsync(cancellationToken);
        return key;
    }

    public async Task<ImmutableArray<ApiKeyEntry>> ListAsync(CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await context.ApiKeys.AsNoTracking().OrderBy(row => row.CreatedAtUnixMs).ToListAsync(cancellationToken);
        return
        [
            .. rows.Select(row => new ApiKeyEntry(
                row.Id,
                row.Name,
                row.KeyHash,
                ApiScopeRules.Parse(row.Scopes.Split(',')) ?? ApiScopes.None,
                DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAtUnixMs),
                row.RevokedAtUnixMs is { } revoked ? DateTimeOffset.FromUnixTimeMilliseconds(revoked) : null)),
        ];
    }

    /// <returns>False when there is no such key.</returns>
    public async Task<bool> RevokeAsync(string id, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        await context.ApiKeys.Where(row => row.Id == id && row.RevokedAtUnixMs == null)
            .ExecuteUpdateAsync(row => row.SetProperty(r => r.RevokedAtUnixMs, now), cancellationToken);
        return await context.ApiKeys.AnyAsync(row => row.Id == id, cancellationToken);
    }
}
