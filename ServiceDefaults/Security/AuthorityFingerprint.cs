using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ClusterLlm.ServiceDefaults.Security;

/// <summary>SHA-256 of a certificate authority's public key: it stays when the certificate is renewed, and goes when the key does.</summary>
/// <param name="Hex">64 lower-case hexadecimal digits of the hash of the SubjectPublicKeyInfo, as in RFC 7469 and kubeadm.</param>
public sealed record AuthorityFingerprint(string Hex)
{
    private const string Prefix = "sha256:";

    /// <summary>The fingerprint of <paramref name="authority"/>'s key.</summary>
    public static AuthorityFingerprint Of(X509Certificate2 authority) => From(SHA256.HashData(authority.PublicKey.ExportSubjectPublicKeyInfo()));

    /// <param name="hash">32 bytes.</param>
    public static AuthorityFingerprint From(ReadOnlySpan<byte> hash) => new(Convert.ToHexStringLower(hash));

    /// <returns>32 bytes.</returns>
    public byte[] ToBytes() => Convert.FromHexString(Hex);

    /// <summary>For people and settings: <c>sha256:1f…</c>.</summary>
    public override string ToString() => Prefix + Hex;
}
