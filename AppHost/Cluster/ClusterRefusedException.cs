using System.Collections.Immutable;

namespace ClusterLlm.AppHost.Cluster;

/// <summary>The cluster answered, and the answer is no; the message is its own.</summary>
internal sealed class ClusterRefusedException(string message) : Exception(message)
{
    /// <summary>What is wrong with single fields of the request, by the field's name in the API.</summary>
    public ImmutableSortedDictionary<string, string> FieldErrors { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Reasons for nodes, where a plan could not be made.</summary>
    public ImmutableArray<RejectionView> Rejections { get; init; } = [];
}
