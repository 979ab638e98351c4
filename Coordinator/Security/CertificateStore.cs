using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ClusterLlm.Coordinator.Data;
using Microsoft.EntityFrameworkCore;

namespace ClusterLlm.Coordinator.Security;

/// <summary>A node's certificate as the Coordinator noted it.</summary>
internal sealed record IssuedCertificate(string Serial, string NodeId, string MachineId, bool IsLocal, DateTimeOffset EndsAt);

/// <summary>Whom a certificate is for.</summary>
/// <param name="IsLocal">On the Coordinator's machine.</param>
internal sealed record Enrollee(string NodeId, string MachineId, bool IsLocal);

/// <summary>Revoked certificates that have not ended by themselves.</summary>
/// <param name="Version">Rises with each revocation.</param>
internal sealed record RevokedCertificates(ulong Version, ImmutableHashSet<string> Serials)
{
    public static RevokedCertificates None { get; } = new(0, []);
}

/// <summary>Which certificates were issued to whom, and which are revoked.</summary>
internal sealed class CertificateStore(IDbContextFactory<CoordinatorDbContext> contexts, TimeProvider time)
{
    /// <summary>Whether a certificate was ever issued for <paramref name="key"/>: a request is used once.</summary>
    public async Task<bool> IsUsedAsync(PublicKey key, CancellationToken cancellationToken)
    {
        var hash = KeyHash(key);
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        return await context.Certificates.AnyAsync(row => row.KeyHash == hash, cancellationToken);
    }

    /// <summary>Certificates of a node that are neither revoked nor ended.</summary>
    public async Task<ImmutableArray<IssuedCertificate>> HeldByAsync(string nodeId, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await context.Certificates.AsNoTracking()
            .Where(row => row.NodeId == nodeId && row.RevokedAtUnixMs == null && row.EndsAtUnixMs > now).ToListAsync(cancellationToken);
        return [.. rows.Select(row => new IssuedCertificate(row.Serial, row.NodeId, row.MachineId, row.IsLocal, DateTimeOffset.FromUnixTimeMilliseconds(row.EndsAtUnixMs)))];
    }

    public async Task AddAsync(X509Certificate2 certificate, Enrollee enrollee, string tokenId, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        context.Certificates.Add(new CertificateRow
        {
            Serial = certificate.SerialNumber,
            NodeId = enrollee.NodeId,
            MachineId = enrollee.MachineId,
            IsLocal = enrollee.IsLocal,
            TokenId = tokenId,
            KeyHash = KeyHash(certificate.PublicKey),
            IssuedAtUnixMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
            EndsAtUnixMs = new DateTimeOffset(certificate.NotAfter).ToUnixTimeMilliseconds(),
        });
        await context.SaveChangesAsync(cancellationToken);
    }

    /// <summary>Nodes with a good certificate that run on other machines than the Coordinator's.</summary>
    public async Task<int> CountRemoteNodesAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        return await context.Certificates.Where(row => !row.IsLocal && row.RevokedAtUnixMs == null && row.EndsAtUnixMs > now)
            .Select(row => row.NodeId).Distinct().CountAsync(cancellationToken);
    }

    /// <summary>Revokes all certificates of a node.</summary>
    /// <returns>How many.</returns>
    public async Task<int> RevokeAsync(string nodeId, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        return await context.Certificates.Where(row => row.NodeId == nodeId && row.RevokedAtUnixMs == null && row.EndsAtUnixMs > now)
            .ExecuteUpdateAsync(row => row.SetProperty(r => r.RevokedAtUnixMs, now), cancellationToken);
    }

    public async Task<RevokedCertificates> RevokedAsync(CancellationToken cancellationToken)
    {
        // Clocks of nodes may be behind: what has just ended here may still look good there.
        var ended = (time.GetUtcNow() - TimeSpan.FromDays(1)).ToUnixTimeMilliseconds();
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var version = await context.Certificates.CountAsync(row => row.RevokedAtUnixMs != null, cancellationToken);
        var serials = await context.Certificates.Where(row => row.RevokedAtUnixMs != null && row.EndsAtUnixMs > ended)
            .Select(row => row.Serial).ToListAsync(cancellationToken);
        return new((ulong)version, [.. serials]);
    }

    private static string KeyHash(PublicKey key) => Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));
}
