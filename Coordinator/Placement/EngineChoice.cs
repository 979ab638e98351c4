using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Placement;

/// <summary>The engine of a plan: all stages run the same one.</summary>
/// <param name="Name"><see langword="null"/> when no engine can do it.</param>
/// <param name="Reason">One sentence.</param>
internal readonly record struct EngineChoice(string? Name, string Reason)
{
    // Fastest first: MLX on the GPU, then exo (MLX with more software per hop), llama.cpp in what-if questions, then our own on the CPU.
    private static readonly ImmutableArray<string> Preference = ["mlx", "exo", "llama.cpp", "builtin"];

    public static EngineChoice Choose(ImmutableArray<NodeCapacity> nodes, PlacementRequest request)
    {
        if (nodes.IsEmpty)
        {
            return new EngineChoice(null, "No node can take a shard; see the reason of each node.");
        }

        if (request.Engine is not ("auto" or ""))
        {
            return nodes.Any(node => node.Engines.Contains(request.Engine))
                ? new EngineChoice(request.Engine, $"The request asks for {request.Engine}.")
                : new EngineChoice(null, $"No node has engine {request.Engine} for this model; available: {Available(nodes)}.");
        }

        foreach (var engine in Preference)
        {
            if (nodes.All(node => node.Engines.Contains(engine)))
            {
                return new EngineChoice(engine, $"{engine} is the fastest engine that every candidate node has for this model.");
            }
        }

        foreach (var engine in Preference)
        {
            if (nodes.Any(node => node.Engines.Contains(engine)))
            {
                return new EngineChoice(engine, $"{engine} is the fastest engine that some node has for this model; no engine is on all of them.");
            }
        }

        return new EngineChoice(null, "No node has an engine that loads this model.");
    }

    /// <summary>Engines that are worth planning for: the one that was asked for, or all that some candidate has, the usually faster ones first.</summary>
    public static (ImmutableArray<string> Engines, string? Refusal) Candidates(ImmutableArray<NodeCapacity> nodes, PlacementRequest request)
    {
        if (nodes.IsEmpty)
        {
            return ([], "No node can take a shard; see the reason of each node.");
        }

        if (request.Engine is not ("auto" or ""))
        {
            return nodes.Any(node => node.Engines.Contains(request.Engine))
                ? ([request.Engine], null)
                : ([], $"No node has engine {request.Engine} for this model; available: {Available(nodes)}.");
        }

        ImmutableArray<string> engines = [.. Preference.Where(engine => nodes.Any(node => node.Engines.Contains(engine)))];
        return engines.IsEmpty ? (engines, "No node has an engine that loads this model.") : (engines, null);
    }

    public static string Explain(string engine, ImmutableArray<string> tried, PlacementRequest request) =>
        request.Engine is not ("auto" or "")
            ? $"The request asks for {engine}."
            : tried.Length == 1
                ? $"{engine} is the only engine that candidate nodes have for this model."
                : $"{engine} gives the best plan for {Verdicts.Name(request.Objective)}; tried: {string.Join(", ", tried)}.";

    public static string Names(NodeCapacity node) => node.Engines.IsDefaultOrEmpty ? "none" : string.Join(", ", node.Engines);

    private static string Available(ImmutableArray<NodeCapacity> nodes)
    {
        var names = nodes.SelectMany(node => node.Engines).Distinct().Order(StringComparer.Ordinal).ToArray();
        return names.Length == 0 ? "none" : string.Join(", ", names);
    }
}
