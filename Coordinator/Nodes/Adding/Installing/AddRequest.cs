using ClusterLlm.Coordinator.Nodes.Adding.Ssh;

namespace ClusterLlm.Coordinator.Nodes.Adding.Installing;

/// <summary>A wish to make a machine a node.</summary>
/// <param name="HostKey">A fingerprint that the person has compared.</param>
/// <param name="UserService">The person agrees to a service of the account where root is out of reach.</param>
/// <param name="NodeId">Wanted for the node; <see langword="null"/> keeps the one that it has, or makes one of its host name.</param>
/// <param name="CoordinatorUrl">Where the node reaches the Coordinator; <see langword="null"/>: at the address from which the SSH connection comes.</param>
internal sealed record AddRequest(TargetAddress Address, TargetCredentials Credentials, string? HostKey, bool UserService, string? NodeId, Uri? CoordinatorUrl);

/// <summary>A wish to undo it.</summary>
/// <param name="NodeId">Taken out of the cluster afterwards; <see langword="null"/>: what the machine itself says.</param>
internal sealed record RemoveRequest(TargetAddress Address, TargetCredentials Credentials, string? HostKey, string? NodeId);

/// <summary>A token that lets one machine join.</summary>
/// <param name="Id">Not secret.</param>
internal sealed record JoinInvitation(string Id, string Text)
{
    /// <summary>Records end up in logs.</summary>
    public override string ToString() => $"join invitation {Id}";
}

/// <summary>Makes tokens for machines that are being added.</summary>
internal interface IJoinInvitations
{
    /// <param name="nodeId">The only one that may join with it.</param>
    /// <param name="coordinator">Where the machine reaches the Coordinator.</param>
    Task<JoinInvitation> CreateAsync(string nodeId, Uri coordinator, TimeSpan lifetime, CancellationToken cancellationToken);

    /// <summary>Makes a token that was not used worthless.</summary>
    Task RevokeAsync(string id, CancellationToken cancellationToken);
}
