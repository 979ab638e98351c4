using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Coordinator.Placement;

/// <summary>Lists what a plan rests on that nobody measured.</summary>
internal static class Assumptions
{
    public static ImmutableArray<string> Of(
        ClusterSnapshot cluster, PlanningKnowledge knowledge, IEnumerable<NodeCapacity> nodes, PlacementRequest request)
    {
        var used = nodes.ToArray();
        var found = ImmutableArray.CreateBuilder<string>();
        foreach (var node in used)
        {
            if (knowledge.ChipOf(node).Assumption is { } chip)
            {
                found.Add($"{node.NodeId}: {chip}");
            }

            if (node.MemoryAssumption is { } memory)
            {
                found.Add($"{node.NodeId}: {memory}");
            }
        }

        var pairs = used.SelectMany((from, index) => used.Skip(index + 1).Select(to => (from, to))).ToArray();
        var unmeasured = pairs.Count(pair => pair.from.MachineId != pair.to.MachineId && !IsMeasured(cluster, pair.from.NodeId, pair.to.NodeId));
        if (unmeasured > 0)
        {
            found.Add(request.Link is { } link
                ? $"Links between machines are planned as {link}."
                : $"{unmeasured} link(s) between machines were never measured; planned as {HopModel.DefaultLink}.");
        }

        if (used.Select(node => node.MachineId).Distinct().Count() < used.Length)
        {
            found.Add("Some nodes are agents of one machine: their stages take turns with its memory bandwidth.");
        }

        return found.ToImmutable();
    }

    private static bool IsMeasured(ClusterSnapshot cluster, string from, string to) =>
        !cluster.Links.IsDefaultOrEmpty && cluster.Links.Any(link =>
            (link.FromNodeId == from && link.ToNodeId == to) || (link.FromNodeId == to && link.ToNodeId == from));
}
