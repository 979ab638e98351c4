namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx;

/// <summary>Tests that run MLX processes: one after the other, for each rank of a ring spins on a core.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MlxProcesses
{
    public const string Name = "mlx processes";
}
