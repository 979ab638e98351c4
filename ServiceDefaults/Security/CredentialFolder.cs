using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace ClusterLlm.ServiceDefaults.Security;

/// <summary>What a node keeps besides its certificate.</summary>
/// <param name="CoordinatorUrl">The address that last worked; <see langword="null"/> when none is known.</param>
/// <param name="TokenId">The token that was spent to join: it is not tried again.</param>
/// <param name="RevocationVersion">Of <see cref="Revoked"/>.</param>
internal sealed record NodeRecord(string? CoordinatorUrl, string TokenId, ulong RevocationVersion, ImmutableArray<string> Revoked);

/// <summary>A node's credentials on disk: <c>identity.pem</c> (key and certificate), <c>authority.pem</c> and <c>node.json</c>, all their owner's alone.</summary>
internal sealed class CredentialFolder(string path)
{
    private const string IdentityFile = "identity.pem";
    private const string AuthorityFile = "authority.pem";
    private const string RecordFile = "node.json";

    public string Path { get; } = path;

    /// <summary>The folder of a node under the home folder.</summary>
    public static CredentialFolder Of(ClusterHome home, string nodeId) => new(System.IO.Path.Combine(home.Path, "node", nodeId));

    /// <summary>The kept credentials, or <see langword="null"/> when there are none.</summary>
    /// <exception cref="SettingsException">Others may read them, or they can't be read.</exception>
    public PeerCredentials? Read()
    {
        if (!File.Exists(FilePath(IdentityFile)))
        {
            return null;
        }

        var identity = PrivateFiles.Read(FilePath(IdentityFile));
        try
        {
            using var key = ECDsa.Create();
            key.ImportFromPem(identity);
            using var bare = X509Certificate2.CreateFromPem(identity);
            var authority = X509Certificate2.CreateFromPem(PrivateFiles.Read(FilePath(AuthorityFile)));
            return PeerIdentity.Read(bare) is { } self
                ? new PeerCredentials(CertificateIssuer.WithKey(bare, key), authority, self)
                : throw new SettingsException($"{FilePath(IdentityFile)} holds the certificate '{bare.Subject}', which names no node. Delete {Path} and join anew.");
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException or IOException)
        {
            throw new SettingsException($"The node's certificate in {Path} can't be read: {error.Message} Delete the folder and join anew with a token.");
        }
    }

    /// <summary>Keeps new credentials; key and certificate change together.</summary>
    public void Write(ECDsa key, X509Certificate2 certificate, X509Certificate2 authority)
    {
        PrivateFiles.CreateDirectory(Path);
        PrivateFiles.Write(FilePath(AuthorityFile), authority.ExportCertificatePem() + "\n");
        PrivateFiles.Write(FilePath(IdentityFile), $"{key.ExportPkcs8PrivateKeyPem()}\n{certificate.ExportCertificatePem()}\n");
    }

    /// <summary>What was noted, or an empty record.</summary>
    public NodeRecord ReadRecord()
    {
        try
        {
            return File.Exists(FilePath(RecordFile)) && JsonSerializer.Deserialize<NodeRecord>(PrivateFiles.Read(FilePath(RecordFile))) is { } record
                ? record with { Revoked = record.Revoked.IsDefault ? [] : record.Revoked }
                : new NodeRecord(null, "", 0, []);
        }
        catch (JsonException error)
        {
            throw new SettingsException($"{FilePath(RecordFile)} can't be read: {error.Message} Delete {Path} and join anew with a token.");
        }
    }

    public void WriteRecord(NodeRecord record)
    {
        PrivateFiles.CreateDirectory(Path);
        PrivateFiles.Write(FilePath(RecordFile), JsonSerializer.Serialize(record));
    }

    private string FilePath(string name) => System.IO.Path.Combine(Path, name);
}
