using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Nodes;

/// <summary>Which of a node's addresses to try, and in which order.</summary>
internal static class NodeAddresses
{
    private static readonly ImmutableArray<string> FastestFirst = ["thunderbolt", "ethernet", "unknown", "wifi"];

    /// <summary>Addresses of <paramref name="node"/> as the Coordinator should try them.</summary>
    /// <remarks>The loopback address of another machine would lead to the wrong agent, so it only counts for agents on this one.</remarks>
    public static ImmutableArray<string> InOrder(NodeSnapshot node)
    {
        var loopback = node.Facts.Addresses.Where(IsLoopback).Select(address => address.Url);
        var others = node.Facts.Addresses.Where(address => !IsLoopback(address))
            .OrderBy(address => FastestFirst.IndexOf(address.Kind) is var rank && rank < 0 ? FastestFirst.Length : rank)
            .Select(address => address.Url);
        return node.FromLoopback ? [.. loopback, .. others] : [.. others];
    }

    /// <summary>Addresses of <paramref name="node"/> that other machines may try, the fastest kind first; those that a machine gave itself, without DHCP, behind others.</summary>
    public static ImmutableArray<string> ForOthers(NodeSnapshot node) =>
        [.. InOrder(node).Select(url => new Uri(url)).Where(uri => !uri.IsLoopback).OrderBy(uri => IsSelfGiven(uri) ? 1 : 0).Select(uri => uri.GetLeftPart(UriPartial.Authority))];

    /// <summary>The address at which <paramref name="node"/>'s neighbours on the same or another machine reach it.</summary>
    public static string ForNeighbours(NodeSnapshot node, bool allOnOneMachine)
    {
        var order = InOrder(node);
        if (!allOnOneMachine && order.FirstOrDefault(url => !new Uri(url).IsLoopback) is { } reachable)
        {
            return reachable;
        }

        return order.FirstOrDefault() ?? node.Facts.Addresses[0].Url;
    }

    private static bool IsLoopback(AddressFact address) => new Uri(address.Url).IsLoopback;

    // 169.254.0.0/16 (RFC 3927): what a Mac gives itself on a Thunderbolt cable. It reaches the machine at the other end only, which is found out by measuring.
    private static bool IsSelfGiven(Uri uri) => uri.Host.StartsWith("169.254.", StringComparison.Ordinal);
}
