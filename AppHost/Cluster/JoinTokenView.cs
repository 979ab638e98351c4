using System.Collections.Immutable;

namespace ClusterLlm.AppHost.Cluster;

/// <summary>A join token as the Coordinator shows it once.</summary>
/// <param name="Id">Not secret.</param>
/// <param name="Token">The text with the secret.</param>
internal sealed record JoinTokenView(string Id, string Token, DateTimeOffset ExpiresAt, int Uses)
{
    /// <summary>Where agents reach the Coordinator, <c>host:port</c>.</summary>
    public ImmutableArray<string> Addresses { get; init; } = [];

    /// <summary>Records end up in logs.</summary>
    public override string ToString() => $"join token {Id}";
}
