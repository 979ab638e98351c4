using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace ClusterLlm.ServiceDefaults.Security;

/// <summary>What a process of the cluster proves itself with, and what it trusts.</summary>
/// <param name="Certificate">With its private key.</param>
/// <param name="Authority">The cluster's, without its key.</param>
public sealed record PeerCredentials(X509Certificate2 Certificate, X509Certificate2 Authority, PeerIdentity Self)
{
    /// <summary>For TLS servers: made once, since making it builds a chain.</summary>
    internal SslStreamCertificateContext ServerContext { get; } = SslStreamCertificateContext.Create(Certificate, [Authority], offline: true);
}

/// <summary>The process's credentials and the revocation list as they are now. Renewals and revocations take effect for the next handshake and the next call.</summary>
public sealed class ClusterCredentials(TimeProvider time)
{
    private readonly Lock _gate = new();
    private PeerCredentials? _current;
    private ImmutableHashSet<string> _revoked = [];

    /// <summary>Raised after serial numbers were added to the list.</summary>
    public event Action? RevokedMore;

    /// <summary><see langword="null"/> until the process belongs to a cluster: it then talks to nobody.</summary>
    public PeerCredentials? Current => Volatile.Read(ref _current);

    /// <summary>Serial numbers that are refused whatever else they show.</summary>
    public ImmutableHashSet<string> Revoked => Volatile.Read(ref _revoked);

    public void Replace(PeerCredentials? credentials) => Volatile.Write(ref _current, credentials);

    /// <summary>Takes the newest list in place of the one before.</summary>
    public void ReplaceRevoked(ImmutableHashSet<string> serials)
    {
        bool more;
        lock (_gate)
        {
            more = !serials.IsSubsetOf(_revoked);
            Volatile.Write(ref _revoked, serials);
        }

        if (more)
        {
            RevokedMore?.Invoke();
        }
    }

    /// <summary>Who <paramref name="certificate"/> belongs to, by the authority and the list of now.</summary>
    internal PeerVerdict Verify(X509Certificate2? certificate) => Current is { } own
        ? PeerVerifier.Verify(certificate, own.Authority, own.Self.ClusterId, Revoked, time.GetUtcNow())
        : new(null, "this process has not joined a cluster yet");
}
