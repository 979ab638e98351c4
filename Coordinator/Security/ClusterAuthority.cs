using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.ServiceDefaults.Security;

namespace ClusterLlm.Coordinator.Security;

/// <summary>The cluster's certificate authority: its key never leaves this machine, and signs certificates only.</summary>
internal sealed class ClusterAuthority : IDisposable
{
    private const string FolderName = "authority";
    private const string KeyFile = "key.pem";
    private const string CertificateFile = "certificate.pem";

    private readonly X509Certificate2 _withKey;

    private ClusterAuthority(X509Certificate2 withKey, string clusterId)
    {
        (_withKey, ClusterId) = (withKey, clusterId);
        Certificate = X509CertificateLoader.LoadCertificate(withKey.RawData);
        Fingerprint = AuthorityFingerprint.Of(Certificate);
    }

    public string ClusterId { get; }

    /// <summary>Without its key.</summary>
    public X509Certificate2 Certificate { get; }

    public AuthorityFingerprint Fingerprint { get; }

    /// <summary>Opens the authority of <paramref name="clusterId"/>, or makes it when there is none. One of another cluster is put aside.</summary>
    /// <exception cref="SettingsException">The files can't be read, or others may read the key.</exception>
    /// <remarks>A cluster id that changed means that the database is gone, and with it the list of revoked certificates: the old authority must not go on.</remarks>
    public static ClusterAuthority OpenOrCreate(ClusterHome home, string clusterId, DateTimeOffset now)
    {
        var folder = FolderIn(home);
        try
        {
            if (Directory.Exists(folder))
            {
                if (Open(folder) is var known && known.ClusterId == clusterId)
                {
                    return known;
                }

                known.Dispose();
                Directory.Move(folder, $"{folder}-{known.ClusterId}-{now.ToUnixTimeSeconds()}");
            }

            return Create(folder, clusterId, now);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new SettingsException($"The cluster's authority in {folder} can't be used: {error.Message} Restore the folder from a copy; or move it away, and all nodes join anew.");
        }
    }

    /// <summary>Where the authority lies under the home folder.</summary>
    public static string FolderIn(ClusterHome home) => Path.Combine(home.Path, FolderName);

    /// <summary>A certificate for a key that its owner has proven to hold.</summary>
    public X509Certificate2 Issue(PublicKey key, PeerRoles role, string nodeId, DateTimeOffset now, TimeSpan lifetime) =>
        CertificateIssuer.Issue(_withKey, key, role, ClusterId, nodeId, now, lifetime);

    /// <summary>A certificate, with a new key, for the HTTPS port.</summary>
    public X509Certificate2 IssueForHost(IEnumerable<string> names, IEnumerable<System.Net.IPAddress> addresses, DateTimeOffset now, TimeSpan lifetime)
    {
        using var key = CertificateIssuer.NewKey();
        using var certificate = CertificateIssuer.IssueForHost(_withKey, new PublicKey(key), names, addresses, now, lifetime);
        return CertificateIssuer.WithKey(certificate, key);
    }

    /// <summary>Credentials for the Coordinator itself: a new key each time, which is never written down.</summary>
    public PeerCredentials IssueForCoordinator(DateTimeOffset now, TimeSpan lifetime)
    {
        using var key = CertificateIssuer.NewKey();
        using var certificate = Issue(new PublicKey(key), PeerRoles.Coordinator, "", now, lifetime);
        var own = CertificateIssuer.WithKey(certificate, key);
        return new PeerCredentials(own, Certificate, PeerIdentity.Read(own)!);
    }

    public void Dispose()
    {
        _withKey.Dispose();
        Certificate.Dispose();
    }

    private static ClusterAuthority Open(string folder)
    {
        using var bare = X509Certificate2.CreateFromPem(File.ReadAllText(Path.Combine(folder, CertificateFile)));
        using var key = ECDsa.Create();
        key.ImportFromPem(PrivateFiles.Read(Path.Combine(folder, KeyFile)));
        return new ClusterAuthority(bare.CopyWithPrivateKey(key), PeerIdentity.ClusterOf(bare));
    }

    /// <summary>Made beside and moved: a process that is ended in between leaves no half authority.</summary>
    private static ClusterAuthority Create(string folder, string clusterId, DateTimeOffset now)
    {
        var temporary = $"{folder}.{Environment.ProcessId}.new";
        PrivateFiles.CreateDirectory(temporary);
        using var key = CertificateIssuer.NewKey();
        using var certificate = CertificateIssuer.CreateAuthority(key, clusterId, now);
        PrivateFiles.Write(Path.Combine(temporary, KeyFile), key.ExportPkcs8PrivateKeyPem() + "\n");
        PrivateFiles.Write(Path.Combine(temporary, CertificateFile), certificate.ExportCertificatePem() + "\n");
        Directory.Move(temporary, folder);
        return Open(folder);
    }
}
