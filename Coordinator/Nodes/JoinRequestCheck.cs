using System.Collections.Immutable;
using System.Text.RegularExpressions;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Nodes;

/// <summary>What must hold of a request to join.</summary>
internal static partial class JoinRequestCheck
{
    /// <summary>Whether a node may be called so.</summary>
    public static bool IsNodeId(string id) => NodeIdPattern().IsMatch(id);

    /// <summary>All that is wrong with <paramref name="request"/>; empty when it may join.</summary>
    public static ImmutableArray<string> Problems(JoinRequest request)
    {
        if (request.Node is not { } node)
        {
            return ["node is missing: send the node's description."];
        }

        var problems = ImmutableArray.CreateBuilder<string>();
        if (!IsNodeId(node.NodeId))
        {
            problems.Add($"node.node_id '{node.NodeId}' must be 1 to 63 letters, digits, '.', '_' or '-', and begin with a letter or digit.");
        }

        if (request.InstanceId.Length is 0 or > 128)
        {
            problems.Add($"instance_id has {request.InstanceId.Length} characters; give 1 to 128, new at every start of the agent.");
        }

        if (node.Addresses.Count == 0)
        {
            problems.Add("node.addresses is empty: name at least one URL of the agent's gRPC endpoint.");
        }

        problems.AddRange(node.Addresses
            .Where(address => !Uri.TryCreate(address.Url, UriKind.Absolute, out var uri) || uri.Scheme is not "https")
            .Select(address => $"node.addresses: '{address.Url}' is not an absolute https URL."));
        return problems.ToImmutable();
    }

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", RegexOptions.NonBacktracking)]
    private static partial Regex NodeIdPattern();
}
