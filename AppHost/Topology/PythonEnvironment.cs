using System.Collections.Immutable;

namespace ClusterLlm.AppHost.Topology;

/// <summary>
/// The Python environment of the mlx engine. The agents find or make it, since they must do so on machines without a host too; the hosts show what became of it.
/// </summary>
/// <param name="Name">Of its row.</param>
/// <param name="Folder">Absolute; under the home folder, where the agents look for it.</param>
/// <param name="Agents">The local agents, which share it.</param>
internal sealed record PythonEnvironment(string Name, string Folder, ImmutableArray<string> Agents)
{
    /// <summary>What the engine that runs in it is called.</summary>
    public const string Engine = "mlx";
}
