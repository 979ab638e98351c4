using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ClusterLlm.ServiceDefaults.Security;

/// <summary>Makes the cluster's certificates. ECDSA on P-256: what both TLS versions and every platform here have.</summary>
internal static class CertificateIssuer
{
    /// <summary>How far a node's clock may be behind or ahead without being refused.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(15);

    private const int SerialBytes = 16;
    private static readonly TimeSpan AuthorityLifetime = TimeSpan.FromDays(3650);
    private static readonly OidCollection Usages = [new("1.3.6.1.5.5.7.3.1"), new("1.3.6.1.5.5.7.3.2")];

    public static ECDsa NewKey() => ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>A self-signed authority for <paramref name="clusterId"/>, with its key.</summary>
    public static X509Certificate2 CreateAuthority(ECDsa key, string clusterId, DateTimeOffset now)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddOrganizationName(clusterId);
        builder.AddCommonName("ClusterLlm authority");
        var request = new CertificateRequest(builder.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request.CreateSelfSigned(now - TimeSpan.FromDays(1), now + AuthorityLifetime);
    }

    /// <summary>A certificate for <paramref name="key"/>, without its private half.</summary>
    /// <param name="authority">With its private key.</param>
    /// <param name="nodeId">Ignored for the Coordinator.</param>
    /// <param name="lifetime">From now; the beginning lies <see cref="ClockTolerance"/> earlier, for clocks that are behind.</param>
    public static X509Certificate2 Issue(
        X509Certificate2 authority, PublicKey key, PeerRoles role, string clusterId, string nodeId, DateTimeOffset now, TimeSpan lifetime)
    {
        var request = new CertificateRequest(PeerIdentity.Subject(role, clusterId, nodeId), key, HashAlgorithmName.SHA256);
        AddLeafExtensions(request, authority);
        return request.Create(authority, now - ClockTolerance, now + lifetime, NewSerial());
    }

    /// <summary>A certificate for an HTTPS server that browsers and curl talk to: its names are hosts, and it is no peer of the cluster.</summary>
    public static X509Certificate2 IssueForHost(
        X509Certificate2 authority, PublicKey key, IEnumerable<string> names, IEnumerable<System.Net.IPAddress> addresses, DateTimeOffset now, TimeSpan lifetime)
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddOrganizationalUnitName("api");
        subject.AddCommonName("ClusterLlm API");
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            alternatives.AddDnsName(name);
        }

        foreach (var address in addresses)
        {
            alternatives.AddIpAddress(address);
        }

        request.CertificateExtensions.Add(alternatives.Build());
        AddLeafExtensions(request, authority);
        return request.Create(authority, now - ClockTolerance, now + lifetime, NewSerial());
    }

    /// <summary>A request for a certificate, signed by <paramref name="key"/>; the name in it is not used.</summary>
    public static byte[] CreateRequest(ECDsa key) => new CertificateRequest("CN=node", key, HashAlgorithmName.SHA256).CreateSigningRequest();

    /// <summary>The key of a request that it signed itself, or <see langword="null"/> with what is wrong.</summary>
    public static (PublicKey? Key, string? Problem) ReadRequest(byte[] request)
    {
        try
        {
            var key = CertificateRequest.LoadSigningRequest(request, HashAlgorithmName.SHA256).PublicKey;
            using var ecdsa = key.GetECDsaPublicKey();
            return ecdsa is { KeySize: 256 } ? (key, null) : (null, "The certificate request's key must be ECDSA on P-256.");
        }
        catch (CryptographicException error)
        {
            return (null, $"The certificate request can't be read, or is not signed by its own key: {error.Message}");
        }
    }

    /// <summary>Brings a certificate and its key together in the form that TLS wants on every platform.</summary>
    /// <remarks>macOS takes no ephemeral keys and no keys attached to PEM (dotnet/corefx#16707): through PKCS#12, under default flags, both do.</remarks>
    public static X509Certificate2 WithKey(X509Certificate2 certificate, ECDsa key)
    {
        using var attached = certificate.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(attached.Export(X509ContentType.Pkcs12), password: null);
    }

    private static void AddLeafExtensions(CertificateRequest request, X509Certificate2 authority)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(Usages, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
    }

    private static byte[] NewSerial()
    {
        var serial = RandomNumberGenerator.GetBytes(SerialBytes);
        // A positive number without leading zeros: every reader then shows the same digits.
        serial[0] = (byte)((serial[0] & 0x3F) | 0x40);
        return serial;
    }
}
