using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace ClusterLlm.ServiceDefaults.Security;

/// <summary>Who a client means to talk to.</summary>
/// <param name="NodeId"><see langword="null"/>: the Coordinator.</param>
public sealed record ExpectedPeer(string? NodeId)
{
    public static ExpectedPeer Coordinator { get; } = new((string?)null);

    public static ExpectedPeer Node(string nodeId) => new(nodeId);

    internal bool Is(PeerIdentity peer) => NodeId is null ? peer.Role == PeerRoles.Coordinator : peer.Role == PeerRoles.Node && peer.NodeId == NodeId;

    public override string ToString() => NodeId is null ? "the Coordinator" : $"node {NodeId}";
}

/// <summary>TLS between processes of the cluster: both sides show a certificate, and names are node ids, not addresses.</summary>
public static class MutualTls
{
    /// <summary>1.3 and 1.2, except on macOS, whose TLS in .NET ends at 1.2 (dotnet/runtime#1979).</summary>
    internal static SslProtocols Protocols { get; } = OperatingSystem.IsMacOS() ? SslProtocols.Tls12 : SslProtocols.Tls12 | SslProtocols.Tls13;

    /// <summary>For a client that calls <paramref name="expected"/>.</summary>
    /// <param name="handler">Its other options stay as they are.</param>
    public static SocketsHttpHandler WithPeer(this SocketsHttpHandler handler, ClusterCredentials credentials, ExpectedPeer expected)
    {
        handler.SslOptions = ClientOptions(credentials, expected, Protocols);
        handler.UseProxy = false;
        return handler;
    }

    /// <summary>For a client that has no certificate yet, but knows the authority that the Coordinator's must come from.</summary>
    internal static SocketsHttpHandler WithCoordinatorOf(this SocketsHttpHandler handler, X509Certificate2 authority, TimeProvider time)
    {
        handler.SslOptions = BaseOptions(Protocols, certificate => PeerVerifier.Verify(
            certificate, authority, PeerIdentity.ClusterOf(authority), [], time.GetUtcNow()), ExpectedPeer.Coordinator);
        handler.UseProxy = false;
        return handler;
    }

    internal static SslClientAuthenticationOptions ClientOptions(ClusterCredentials credentials, ExpectedPeer expected, SslProtocols protocols)
    {
        var options = BaseOptions(protocols, credentials.Verify, expected);
        // Asked for at each handshake: after a renewal new connections show the new certificate.
        options.LocalCertificateSelectionCallback = (_, _, _, _, _) => credentials.Current?.Certificate!;
        return options;
    }

    private static SslClientAuthenticationOptions BaseOptions(SslProtocols protocols, Func<X509Certificate2?, PeerVerdict> verify, ExpectedPeer expected) => new()
    {
        EnabledSslProtocols = protocols,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CipherSuitesPolicy = CipherSuites(),
        RemoteCertificateValidationCallback = (_, certificate, _, _) => Check(verify(certificate as X509Certificate2), expected),
    };

    internal static SslServerAuthenticationOptions ServerOptions(
        PeerCredentials own, SslProtocols protocols, Func<X509Certificate2?, bool> accept) => new()
        {
            ServerCertificateContext = own.ServerContext,
            ClientCertificateRequired = true,
            EnabledSslProtocols = protocols,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CipherSuitesPolicy = CipherSuites(),
            AllowRenegotiation = false,
            // A resumed session would skip nothing of ours, but a certificate that was revoked meanwhile must never ride on one.
            AllowTlsResume = false,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => accept(certificate as X509Certificate2),
        };

    /// <remarks>
    /// The only way to say why: what the callback throws reaches the caller as the inner exception, while a plain "no" becomes a sentence without a reason.
    /// </remarks>
    private static bool Check(PeerVerdict verdict, ExpectedPeer expected)
    {
        if (verdict.Peer is not { } peer)
        {
            throw new AuthenticationException($"What answers there is not {expected}: {verdict.Problem}.");
        }

        return expected.Is(peer) ? true : throw new AuthenticationException($"What answers there is {peer}, not {expected}.");
    }

    /// <summary>Forward secrecy and authenticated encryption only. Windows and macOS order their own suites, AES-GCM first.</summary>
    private static CipherSuitesPolicy? CipherSuites() => OperatingSystem.IsLinux()
        ? new CipherSuitesPolicy(
        [
            TlsCipherSuite.TLS_AES_128_GCM_SHA256,
            TlsCipherSuite.TLS_AES_256_GCM_SHA384,
            TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        ])
        : null;
}
