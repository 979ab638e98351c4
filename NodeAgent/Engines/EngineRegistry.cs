using System.Collections.Immutable;

namespace ClusterLlm.NodeAgent.Engines;

/// <summary>The engines that this agent was built with.</summary>
internal sealed class EngineRegistry(IEnumerable<IEngine> engines)
{
    public ImmutableArray<IEngine> All { get; } = [.. engines.OrderBy(engine => engine.Name, StringComparer.Ordinal)];

    public IEngine? Find(string name) => All.FirstOrDefault(engine => engine.Name == name);

    /// <summary>Why there is no engine of that name here, with the names there are.</summary>
    public string Unknown(string name) =>
        $"This node has no engine '{name}'; it has {(All.IsEmpty ? "none" : string.Join(", ", All.Select(engine => engine.Name)))}.";
}
