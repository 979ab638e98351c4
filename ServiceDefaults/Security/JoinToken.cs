using System.Collections.Immutable;

namespace ClusterLlm.ServiceDefaults.Security;

/// <summary>What a machine needs to become a node: which cluster, how to know it, and a secret that is spent on joining.</summary>
/// <param name="Id">Names the token in lists and logs; not secret. 8 characters of base32.</param>
/// <param name="Secret">160 random bits as 32 characters of base32. Known to the token's holder only; the Coordinator keeps its hash.</param>
/// <param name="Authority">The cluster's certificate authority, checked before anything is sent.</param>
/// <param name="Addresses">Where the Coordinator can be reached, as <c>host:port</c>, best first; may be empty.</param>
public sealed record JoinToken(string Id, string Secret, AuthorityFingerprint Authority, ImmutableArray<string> Addresses)
{
    /// <summary>The token without its secret, since records end up in logs. <see cref="JoinTokenText.Write"/> gives the real one.</summary>
    public override string ToString() => $"join token {Id}";
}
