namespace ClusterLlm.NodeAgent.Engines.Mlx.Ring;

/// <summary>A rank of one start of a deployment.</summary>
internal readonly record struct TunnelKey(string DeploymentId, int Generation, int Rank)
{
    public static TunnelKey Of(ShardSpec spec) => new(spec.DeploymentId, spec.Generation, spec.Rank);

    public override string ToString() => $"rank {Rank} of deployment '{DeploymentId}' generation {Generation}";
}

/// <summary>Where a rank of this node takes its left neighbour's connection.</summary>
/// <param name="Port">On loopback; the rank may not listen yet.</param>
/// <param name="LeftNodeId">The node that may connect.</param>
/// <param name="Ended">Cancelled when the rank is gone.</param>
internal sealed record TunnelTarget(int Port, string EngineVersion, string LeftNodeId, CancellationToken Ended);
