using System.Net;
using System.Security.Cryptography.X509Certificates;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.ServiceDefaults.Security;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClusterLlm.Testing;

/// <summary>An authority for tests: gives certificates as the Coordinator's would, so that everything under test speaks the mutual TLS that it speaks in earnest.</summary>
public sealed class TestAuthority
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(2);

    private readonly X509Certificate2 _withKey;

    public TestAuthority(string clusterId = "test-cluster")
    {
        using var key = CertificateIssuer.NewKey();
        ClusterId = clusterId;
        _withKey = CertificateIssuer.CreateAuthority(key, clusterId, TimeProvider.System.GetUtcNow());
        Certificate = X509CertificateLoader.LoadCertificate(_withKey.RawData);
    }

    /// <summary>For tests whose processes all belong together.</summary>
    public static TestAuthority Shared { get; } = new();

    public string ClusterId { get; }

    /// <summary>Without its key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>Credentials of a node, or of the Coordinator when <paramref name="nodeId"/> is null.</summary>
    public ClusterCredentials Credentials(string? nodeId)
    {
        using var key = CertificateIssuer.NewKey();
        using var certificate = Issue(nodeId, new PublicKey(key));
        var credentials = new ClusterCredentials(TimeProvider.System);
        credentials.Replace(new PeerCredentials(CertificateIssuer.WithKey(certificate, key), Certificate, PeerIdentity.Read(certificate)!));
        return credentials;
    }

    /// <summary>Puts a node's credentials where its agent looks for them.</summary>
    /// <param name="home">The agent's home folder.</param>
    public void WriteCredentials(string home, string nodeId) => Write(CredentialFolder.Of(new ClusterHome(home), nodeId), nodeId);

    /// <param name="nodeId"><see langword="null"/>: the Coordinator.</param>
    internal void Write(CredentialFolder folder, string? nodeId)
    {
        using var key = CertificateIssuer.NewKey();
        using var certificate = Issue(nodeId, new PublicKey(key));
        folder.Write(key, certificate, Certificate);
    }

    /// <summary>A channel of the Coordinator to a node.</summary>
    public GrpcChannel Channel(Uri url, string nodeId) => Channel(url, Credentials(nodeId: null), ExpectedPeer.Node(nodeId));

    public static GrpcChannel Channel(Uri url, ClusterCredentials own, ExpectedPeer expected) => GrpcChannel.ForAddress(url, new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler { EnableMultipleHttp2Connections = true }.WithPeer(own, expected),
        DisposeHttpClient = true,
    });

    /// <summary>A loopback port that the system picks, for those who show a certificate of this cluster.</summary>
    /// <param name="own">What the port shows.</param>
    public static void Listen(KestrelServerOptions kestrel, ClusterCredentials own, PeerDemand demand = PeerDemand.Certificate)
    {
        // As on agents: members of a cluster may be slow readers.
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            new PeerListener(own, NullLogger<PeerListener>.Instance).Secure(listen, demand);
        });
    }

    private X509Certificate2 Issue(string? nodeId, PublicKey key) => CertificateIssuer.Issue(
        _withKey, key, nodeId is null ? PeerRoles.Coordinator : PeerRoles.Node, ClusterId, nodeId ?? "", TimeProvider.System.GetUtcNow(), Lifetime);
}
