using System.Security.Cryptography.X509Certificates;

namespace ClusterLlm.ServiceDefaults.Security;

/// <summary>What a process of the cluster may do.</summary>
[Flags]
public enum PeerRoles
{
    None = 0,

    /// <summary>Decides what runs where: may call everything on agents.</summary>
    Coordinator = 1,

    /// <summary>An agent: may call what neighbours need of each other, and its own membership.</summary>
    Node = 2,

    Any = Coordinator | Node,
}

/// <summary>Who is at the other end of a connection, as its certificate says.</summary>
/// <param name="NodeId">Empty for the Coordinator.</param>
/// <param name="Serial">Of the certificate, upper-case hexadecimal digits: what revocation lists name.</param>
public sealed record PeerIdentity(PeerRoles Role, string ClusterId, string NodeId, string Serial)
{
    private const string CommonName = "2.5.4.3";
    private const string Organization = "2.5.4.10";
    private const string OrganizationalUnit = "2.5.4.11";
    private const string NodeUnit = "node";
    private const string CoordinatorUnit = "coordinator";

    /// <summary>For messages: <c>node node-1</c>.</summary>
    public override string ToString() => Role == PeerRoles.Coordinator ? "the Coordinator" : $"node {NodeId}";

    /// <summary>The subject of a certificate: organization = cluster, unit = role, common name = node id. Kubernetes keeps its nodes' names there too.</summary>
    internal static X500DistinguishedName Subject(PeerRoles role, string clusterId, string nodeId)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddOrganizationName(clusterId);
        builder.AddOrganizationalUnitName(role == PeerRoles.Coordinator ? CoordinatorUnit : NodeUnit);
        builder.AddCommonName(role == PeerRoles.Coordinator ? CoordinatorUnit : nodeId);
        return builder.Build();
    }

    /// <summary>The cluster that an authority is for; empty when it is no cluster's.</summary>
    internal static string ClusterOf(X509Certificate2 authority) => authority.SubjectName.EnumerateRelativeDistinguishedNames()
        .FirstOrDefault(name => !name.HasMultipleElements && name.GetSingleElementType().Value == Organization)?.GetSingleElementValue() ?? "";

    /// <summary>Reads the subject; <see langword="null"/> when it is not of the form that <see cref="Subject"/> makes.</summary>
    /// <remarks>Says nothing about who issued the certificate.</remarks>
    internal static PeerIdentity? Read(X509Certificate2 certificate)
    {
        var parts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in certificate.SubjectName.EnumerateRelativeDistinguishedNames())
        {
            if (name.HasMultipleElements || name.GetSingleElementValue() is not { } value || !parts.TryAdd(name.GetSingleElementType().Value ?? "", value))
            {
                return null;
            }
        }

        return parts.GetValueOrDefault(OrganizationalUnit) switch
        {
            CoordinatorUnit => new(PeerRoles.Coordinator, parts.GetValueOrDefault(Organization, ""), "", certificate.SerialNumber),
            NodeUnit when parts.GetValueOrDefault(CommonName) is { Length: > 0 } id => new(PeerRoles.Node, parts.GetValueOrDefault(Organization, ""), id, certificate.SerialNumber),
            _ => null,
        };
    }
}
