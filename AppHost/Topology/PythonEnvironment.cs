using System.Collections.Immutable;

namespace ClusterLlm.AppHost.Topology;

/// <summary>
/// The Python environment of the mlx engine. The agents find or make it, since they must do so on machines without a host too; the hosts show what became of it. Under Aspire the agent's
/// program does that as a step of its own, and a module that runs in the environment tells what it has.
/// </summary>
/// <param name="Name">Of its row.</param>
/// <param name="Folder">Absolute; under the home folder, where the agents look for it.</param>
/// <param name="Agents">The local agents, which share it.</param>
internal sealed record PythonEnvironment(string Name, string Folder, ImmutableArray<string> Agents)
{
    /// <summary>What the engine that runs in it is called.</summary>
    public const string Engine = "mlx";

    /// <summary>The project whose program makes it.</summary>
    public const string Project = "NodeAgent";

    /// <summary>The argument with which that program makes it, and does nothing else.</summary>
    public const string InstallArgument = "mlx-environment";

    /// <summary>The module that tells what is in it.</summary>
    public const string Module = "clusterllm_mlx.environment";

    /// <summary>Of the row of the step that makes it.</summary>
    public string Installer => $"{Name}-installer";

    /// <summary>On top of the host's own, as for the agents.</summary>
    public ImmutableSortedDictionary<string, SettingValue> Environment { get; init; } = ImmutableSortedDictionary<string, SettingValue>.Empty;

    /// <summary>Absolute folder of our Python package.</summary>
    /// <param name="agent">Path of the agent's assembly.</param>
    public static string PackageFolder(string agent) => Path.Join(Path.GetDirectoryName(Path.GetFullPath(agent)), "Engines", "Mlx", "Python");
}
