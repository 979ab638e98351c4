using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using ClusterLlm.Coordinator.Data;
using ClusterLlm.ServiceDefaults.Security;
using Microsoft.EntityFrameworkCore;

namespace ClusterLlm.Coordinator.Security;

/// <summary>Join tokens in the database: hashes, never secrets.</summary>
internal sealed class JoinTokenStore(IDbContextFactory<CoordinatorDbContext> contexts, TimeProvider time)
{
    private const int IdBytes = 5;
    private const int SecretBytes = 20;

    /// <param name="addresses">Where agents reach the Coordinator.</param>
    /// <returns>The only copy of the secret.</returns>
    public async Task<JoinToken> CreateAsync(
        TokenRequest request, AuthorityFingerprint authority, ImmutableArray<string> addresses, CancellationToken cancellationToken)
    {
        var token = new JoinToken(
            Base32.Encode(RandomNumberGenerator.GetBytes(IdBytes)), Base32.Encode(RandomNumberGenerator.GetBytes(SecretBytes)), authority, addresses);
        var now = time.GetUtcNow();
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        context.JoinTokens.Add(new JoinTokenRow
        {
            Id = token.Id,
            SecretHash = Hash(token.Secret),
            CreatedAtUnixMs = now.ToUnixTimeMilliseconds(),
            ExpiresAtUnixMs = (now + request.Lifetime).ToUnixTimeMilliseconds(),
            MaxUses = request.Uses,
            NodeId = request.NodeId,
            Note = request.Note,
        });
        await context.SaveChangesAsync(cancellationToken);
        return token;
    }

    public async Task<ImmutableArray<TokenEntry>> ListAsync(CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await context.JoinTokens.AsNoTracking().OrderBy(row => row.CreatedAtUnixMs).ToListAsync(cancellationToken);
        return [.. rows.Select(Entry)];
    }

    /// <summary>The token whose secret this is; <see langword="null"/> when the id or the secret is wrong, without saying which.</summary>
    public async Task<TokenEntry?> FindAsync(string id, string secret, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var row = await context.JoinTokens.AsNoTracking().FirstOrDefaultAsync(row => row.Id == id, cancellationToken);
        // An unknown id costs the same comparison as a wrong secret.
        var fits = CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Hash(secret)), Encoding.ASCII.GetBytes(row?.SecretHash ?? Hash("")));
        return row is not null && fits ? Entry(row) : null;
    }

    /// <summary>Counts one use.</summary>
    /// <returns>False when another machine was faster, or the token has ended since it was looked at.</returns>
    public async Task<bool> SpendAsync(string id, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        return await context.JoinTokens
            .Where(row => row.Id == id && row.Uses < row.MaxUses && row.RevokedAtUnixMs == null && row.ExpiresAtUnixMs > now)
            .ExecuteUpdateAsync(row => row.SetProperty(r => r.Uses, r => r.Uses + 1), cancellationToken) == 1;
    }

    /// <returns>False when there is no such token.</returns>
    public async Task<bool> RevokeAsync(string id, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        await context.JoinTokens.Where(row => row.Id == id && row.RevokedAtUnixMs == null)
            .ExecuteUpdateAsync(row => row.SetProperty(r => r.RevokedAtUnixMs, now), cancellationToken);
        return await context.JoinTokens.AnyAsync(row => row.Id == id, cancellationToken);
    }

    /// <summary>Revokes what is left of tokens with this note: those of earlier starts.</summary>
    public async Task RevokeNotedAsync(string note, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        await context.JoinTokens.Where(row => row.Note == note && row.RevokedAtUnixMs == null)
            .ExecuteUpdateAsync(row => row.SetProperty(r => r.RevokedAtUnixMs, now), cancellationToken);
    }

    /// <summary>A secret of 160 random bits can't be guessed from its hash, so a slow hash would only slow down the Coordinator.</summary>
    private static string Hash(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    private static TokenEntry Entry(JoinTokenRow row) => new(
        row.Id,
        DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAtUnixMs),
        DateTimeOffset.FromUnixTimeMilliseconds(row.ExpiresAtUnixMs),
        row.Uses,
        row.MaxUses,
        row.NodeId,
        row.Note,
        row.RevokedAtUnixMs is { } revoked ? DateTimeOffset.FromUnixTimeMilliseconds(revoked) : null);
}
