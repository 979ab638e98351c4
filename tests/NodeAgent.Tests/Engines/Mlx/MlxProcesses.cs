using ClusterLlm.Testing;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx;

/// <summary>Tests that run MLX processes: one after the other, for they measure times and each group wants all cores.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MlxProcesses : ICollectionFixture<MlxProcesses.Faults>
{
    public const string Name = "mlx processes";

    /// <summary>The times to detect faults of this run.</summary>
    public sealed class Faults : IDisposable
    {
        internal FaultTable Table { get; } = new("mlx-faults");

        public void Dispose() => Table.Dispose();
    }
}
