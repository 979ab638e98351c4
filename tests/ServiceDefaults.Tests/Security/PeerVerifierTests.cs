using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ClusterLlm.ServiceDefaults.Security;

namespace ClusterLlm.ServiceDefaults.Tests.Security;

public sealed class PeerVerifierTests : IDisposable
{
    private const string Cluster = "0a1b2c";
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    private readonly ECDsa _authorityKey = CertificateIssuer.NewKey();
    private readonly ECDsa _nodeKey = CertificateIssuer.NewKey();
    private readonly X509Certificate2 _authority;

    public PeerVerifierTests() => _authority = CertificateIssuer.CreateAuthority(_authorityKey, Cluster, Now);

    public void Dispose()
    {
        _authorityKey.Dispose();
        _nodeKey.Dispose();
        _authority.Dispose();
    }

    [Theory]
    [InlineData(PeerRoles.Node, "Node.1-a_b", "node Node.1-a_b")]
    [InlineData(PeerRoles.Coordinator, "", "the Coordinator")]
    public void Verify_IssuedHere_TellsWhoItIs(PeerRoles role, string nodeId, string text)
    {
        using var certificate = Issue(role, nodeId);

        var peer = Verify(certificate).Peer;

        Assert.Equal(new PeerIdentity(role, Cluster, nodeId, certificate.SerialNumber), peer);
        Assert.Equal(text, peer?.ToString());
    }

    [Fact]
    public void Verify_NoCertificate_IsRefused() => Assert.Contains("no certificate", Verify(null).Problem);

    [Fact]
    public void Verify_AnotherAuthorityOfTheSameName_IsRefused()
    {
        using var otherKey = CertificateIssuer.NewKey();
        using var other = CertificateIssuer.CreateAuthority(otherKey, Cluster, Now);
        using var certificate = CertificateIssuer.Issue(other, new PublicKey(_nodeKey), PeerRoles.Coordinator, Cluster, "", Now, TimeSpan.FromDays(1));

        Assert.Contains($"not issued by this cluster's authority ({AuthorityFingerprint.Of(_authority)})", Verify(certificate).Problem);
    }

    [Fact]
    public void Verify_SignedByANode_IsRefused()
    {
        // A node's own key is no authority, whatever it signs.
        using var node = CertificateIssuer.WithKey(Issue(PeerRoles.Node, "node-1"), _nodeKey);
        using var key = CertificateIssuer.NewKey();
        var request = new CertificateRequest(PeerIdentity.Subject(PeerRoles.Coordinator, Cluster, ""), key, HashAlgorithmName.SHA256);
        using var forged = request.Create(node.SubjectName, X509SignatureGenerator.CreateForECDsa(_nodeKey), Now.AddMinutes(-1), Now.AddHours(1), [1, 2, 3]);

        Assert.Null(Verify(forged).Peer);
    }

    [Fact]
    public void Verify_TheAuthorityItself_IsNoPeer() => Assert.Null(Verify(_authority).Peer);

    [Fact]
    public void Verify_CertificateOfTheHttpsPort_IsNoPeer()
    {
        using var api = CertificateIssuer.IssueForHost(_authority, new PublicKey(_nodeKey), ["localhost"], [], Now, TimeSpan.FromDays(1));

        Assert.Contains("names no node", Verify(api).Problem);
    }

    [Fact]
    public void Verify_AnotherCluster_IsRefused()
    {
        using var certificate = CertificateIssuer.Issue(_authority, new PublicKey(_nodeKey), PeerRoles.Node, "another", "node-1", Now, TimeSpan.FromDays(1));

        Assert.Contains("names no node of cluster 0a1b2c", Verify(certificate).Problem);
    }

    [Fact]
    public void Verify_Revoked_SaysSo()
    {
        using var certificate = Issue(PeerRoles.Node, "node-1");

        Assert.Equal("the certificate of node node-1 was revoked", PeerVerifier.Verify(certificate, _authority, Cluster, [certificate.SerialNumber], Now).Problem);
    }

    [Theory]
    [InlineData(-29, true)]
    [InlineData(-31, false)]
    [InlineData(60, true)]
    [InlineData(24 * 60, true)]
    [InlineData((24 * 60) + 1, false)]
    public void Verify_ClockOff_IsToleratedForSomeMinutesAndNamed(int minutes, bool accepted)
    {
        using var certificate = Issue(PeerRoles.Node, "node-1");

        var verdict = PeerVerifier.Verify(certificate, _authority, Cluster, [], Now.AddMinutes(minutes));

        Assert.Equal(accepted, verdict.Peer is not null);
        Assert.True(accepted || verdict.Problem.Contains("clock", StringComparison.Ordinal), verdict.Problem);
    }

    [Fact]
    public void ReadRequest_Own_GivesItsKeyAndTamperedOrOtherKindsAreRefused()
    {
        var request = CertificateIssuer.CreateRequest(_nodeKey);
        var tampered = request.ToArray();
        tampered[^1] ^= 1;
        using var rsa = RSA.Create(2048);
        var other = new CertificateRequest("CN=x", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequest();

        Assert.Equal(_nodeKey.ExportSubjectPublicKeyInfo(), CertificateIssuer.ReadRequest(request).Key?.ExportSubjectPublicKeyInfo());
        Assert.All(new[] { tampered, other, [], [1, 2, 3] }, bad => Assert.NotNull(CertificateIssuer.ReadRequest(bad).Problem));
    }

    private X509Certificate2 Issue(PeerRoles role, string nodeId) =>
        CertificateIssuer.Issue(_authority, new PublicKey(_nodeKey), role, Cluster, nodeId, Now, TimeSpan.FromDays(1));

    private PeerVerdict Verify(X509Certificate2? certificate) => PeerVerifier.Verify(certificate, _authority, Cluster, [], Now);
}
