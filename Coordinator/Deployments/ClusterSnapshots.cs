using System.Collections.Immutable;
using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Coordinator.Models;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>The planner's view of the cluster, from nodes, deployments and the model's holders. Pure.</summary>
internal static class ClusterSnapshots
{
    /// <param name="except">The deployment that is planned: its own memory is free for it.</param>
    /// <param name="links">Measured ones.</param>
    /// <param name="calibrations">What was measured on a node.</param>
    public static ClusterSnapshot Build(
        IEnumerable<NodeSnapshot> nodes,
        IReadOnlyCollection<Deployment> deployments,
        ResolvedModel model,
        string? except,
        ImmutableArray<LinkMeasurement> links,
        Func<NodeSnapshot, ImmutableArray<EngineCalibration>> calibrations)
    {
        var capacities = nodes.OrderBy(node => node.NodeId, StringComparer.Ordinal)
            .Select(node => Capacity(node, deployments, model, except) with { Calibrations = calibrations(node) });
        return new ClusterSnapshot([.. capacities], links) { Knowledge = BuiltInKnowledge.Planning };
    }

    /// <summary>Bytes that deployments hold or are promised on a node.</summary>
    public static long CommittedBytes(string nodeId, IEnumerable<Deployment> deployments, string? except) => deployments
        .Where(deployment => deployment.HoldsMemory && deployment.Id != except)
        .SelectMany(deployment => deployment.Plan!.Placement.Stages)
        .Where(stage => stage.NodeId == nodeId)
        .Sum(stage => stage.TotalBytes);

    private static NodeCapacity Capacity(NodeSnapshot node, IReadOnlyCollection<Deployment> deployments, ResolvedModel model, string? except)
    {
        var engines = Engines(node, model);
        return new NodeCapacity(
            node.NodeId,
            node.Facts.MachineId,
            node.Facts.Chip,
            node.Facts.GpuCores,
            node.Facts.CpuCores,
            node.Facts.MemoryTotalBytes,
            node.MemoryUsableBytes,
            CommittedBytes(node.NodeId, deployments, except),
            engines,
            Excluded(node, model, engines));
    }

    private static ImmutableArray<string> Engines(NodeSnapshot node, ResolvedModel model)
    {
        var unsupported = model.Holders.TryGetValue(node.NodeId, out var holding)
            ? holding.Engines.Where(engine => !engine.Supported).Select(engine => engine.Engine).ToHashSet(StringComparer.Ordinal)
            : [];
        return [.. node.Facts.Engines.Where(engine => engine.Available && !unsupported.Contains(engine.Name)).Select(engine => engine.Name)];
    }

    private static string? Excluded(NodeSnapshot node, ResolvedModel model, ImmutableArray<string> engines) => node.State switch
    {
        NodeState.Lost => $"It is lost. {node.StateReason}",
        NodeState.Draining => "It is draining and takes no new shards.",
        NodeState.Joining => node.StateReason ?? "It has joined, but its agent has not been reached yet.",
        _ when model.Unfit.TryGetValue(node.NodeId, out var why) => why,
        _ when !model.Holders.ContainsKey(node.NodeId) => $"It does not have the files of model '{model.ModelId}'.",
        _ when engines.IsEmpty => NoEngine(node, model),
        _ => null,
    };

    private static string NoEngine(NodeSnapshot node, ResolvedModel model)
    {
        var reasons = model.Holders[node.NodeId].Engines.Where(engine => !engine.Supported).Select(engine => $"{engine.Engine}: {engine.Reason}")
            .Concat(node.Facts.Engines.Where(engine => !engine.Available).Select(engine => $"{engine.Name}: {engine.UnavailableReason}"));
        return $"None of its engines can load model '{model.ModelId}'. {string.Join(' ', reasons)}".TrimEnd();
    }
}
