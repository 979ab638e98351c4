using ClusterLlm.ServiceDefaults.Security;

namespace ClusterLlm.Coordinator.Security;

/// <summary>The authority and the revocation list of now; known once the store has been opened.</summary>
internal sealed class SecurityState(ClusterCredentials credentials) : IDisposable
{
    private ClusterAuthority? _authority;
    private RevokedCertificates _revoked = RevokedCertificates.None;

    /// <exception cref="InvalidOperationException">It is read before the start.</exception>
    public ClusterAuthority Authority
    {
        get => Volatile.Read(ref _authority) ?? throw new InvalidOperationException("The authority is used before it is opened.");
        set => Volatile.Write(ref _authority, value);
    }

    public RevokedCertificates Revoked
    {
        get => Volatile.Read(ref _revoked);
        set
        {
            Volatile.Write(ref _revoked, value);
            credentials.ReplaceRevoked(value.Serials);
        }
    }

    public void Dispose() => _authority?.Dispose();
}
