namespace ClusterLlm.Coordinator.Data;

/// <summary>A join token; its secret is not kept.</summary>
internal sealed class JoinTokenRow
{
    public required string Id { get; set; }

    /// <summary>SHA-256 in hexadecimal digits.</summary>
    public required string SecretHash { get; set; }

    public long CreatedAtUnixMs { get; set; }

    public long ExpiresAtUnixMs { get; set; }

    public int Uses { get; set; }

    public int MaxUses { get; set; }

    public string? NodeId { get; set; }

    public required string Note { get; set; }

    public long? RevokedAtUnixMs { get; set; }
}

/// <summary>A certificate that was issued to a node.</summary>
internal sealed class CertificateRow
{
    public required string Serial { get; set; }

    public required string NodeId { get; set; }

    public required string MachineId { get; set; }

    public required string TokenId { get; set; }

    /// <summary>Whether its node runs on the Coordinator's machine.</summary>
    public bool IsLocal { get; set; }

    /// <summary>SHA-256 of the public key: each is used once.</summary>
    public required string KeyHash { get; set; }

    public long IssuedAtUnixMs { get; set; }

    public long EndsAtUnixMs { get; set; }

    public long? RevokedAtUnixMs { get; set; }
}

/// <summary>A key of the HTTP API; the key itself is not kept.</summary>
internal sealed class ApiKeyRow
{
    public required string Id { get; set; }

    public required string Name { get; set; }

    /// <summary>SHA-256 in hexadecimal digits.</summary>
    public required string KeyHash { get; set; }

    /// <summary>Names of scopes, with commas.</summary>
    public required string Scopes { get; set; }

    public long CreatedAtUnixMs { get; set; }

    public long? RevokedAtUnixMs { get; set; }
}
