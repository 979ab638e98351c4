using System.Collections.Immutable;

namespace ClusterLlm.ServiceDefaults.Security;

/// <summary>Who may call which gRPC method of a process. What no rule names is refused.</summary>
/// <param name="Rules">By <c>/package.Service/Method</c>, or <c>/package.Service</c> for all of its methods; the method's own rule wins.</param>
/// <param name="Open">Methods that need no certificate: those that give one.</param>
public sealed record CallRules(ImmutableDictionary<string, PeerRoles> Rules, ImmutableHashSet<string> Open)
{
    /// <summary>Whether a caller of the given role may call <paramref name="path"/>.</summary>
    /// <param name="path">For example <c>/clusterllm.v1.NodeService/Echo</c>.</param>
    /// <param name="role"><see cref="PeerRoles.None"/> for one without a certificate.</param>
    public bool Allows(string path, PeerRoles role)
    {
        if (Open.Contains(path))
        {
            return true;
        }

        var service = path.LastIndexOf('/') is > 0 and var slash ? path[..slash] : path;
        return role != PeerRoles.None && (Rules.GetValueOrDefault(path, Rules.GetValueOrDefault(service)) & role) != 0;
    }
}
