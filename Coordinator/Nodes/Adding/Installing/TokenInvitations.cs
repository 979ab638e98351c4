using ClusterLlm.Coordinator.Security;
using ClusterLlm.ServiceDefaults.Security;

namespace ClusterLlm.Coordinator.Nodes.Adding.Installing;

/// <summary>Join tokens for machines that are being added: one use, for one node id, at the address where that machine reaches the Coordinator.</summary>
internal sealed class TokenInvitations(JoinTokenStore tokens, SecurityState state) : IJoinInvitations
{
    public async Task<JoinInvitation> CreateAsync(string nodeId, Uri coordinator, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        var request = new TokenRequest(lifetime, Uses: 1, nodeId, $"adding {nodeId}");
        var token = await tokens.CreateAsync(request, state.Authority.Fingerprint, [coordinator.Authority], cancellationToken);
        return new JoinInvitation(token.Id, JoinTokenText.Write(token));
    }

    public Task RevokeAsync(string id, CancellationToken cancellationToken) => tokens.RevokeAsync(id, cancellationToken);
}
