using System.Collections.Immutable;
using ClusterLlm.Protos.V1;
using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.Coordinator.Models;

/// <summary>Which nodes can take part in a model. Pure.</summary>
internal static class ModelMatching
{
    /// <summary>Joins what the nodes have of one model: those with the same files as most of them take part.</summary>
    /// <param name="asked">The name or path that was asked for.</param>
    /// <param name="found">Node id to what it has; not empty.</param>
    /// <param name="missing">Node id to why it has none.</param>
    public static ResolvedModel Join(
        string asked, IReadOnlyCollection<(string NodeId, ModelDescription Model)> found, IEnumerable<(string NodeId, string Why)> missing)
    {
        // Ties go to the files of the node that comes first by id, so that equal inventories give equal answers.
        var chosen = found.GroupBy(pair => pair.Model.Fingerprint)
            .OrderByDescending(group => group.Count())
            .ThenBy(group => group.Min(pair => pair.NodeId), StringComparer.Ordinal)
            .First();
        var unfit = missing.ToImmutableSortedDictionary(pair => pair.NodeId, pair => pair.Why, StringComparer.Ordinal);
        foreach (var (nodeId, model) in found.Where(pair => pair.Model.Fingerprint != chosen.Key))
        {
            unfit = unfit.SetItem(
                nodeId,
                $"Its files of '{asked}' differ from those of {string.Join(", ", chosen.Select(pair => pair.NodeId))}: "
                + $"fingerprint {Short(model.Fingerprint)} instead of {Short(chosen.Key)}. Copy the same files to it.");
        }

        var first = chosen.OrderBy(pair => pair.NodeId, StringComparer.Ordinal).First().Model;
        var holders = chosen.ToImmutableSortedDictionary(
            pair => pair.NodeId, pair => new ModelHolding(pair.Model.Path, pair.Model.Fingerprint, [.. pair.Model.Engines]), StringComparer.Ordinal);
        return new ResolvedModel(first.ModelId, first, holders, unfit);
    }

    /// <summary>Looks an id or a known folder up in the inventories; <see langword="null"/> when no node has it.</summary>
    public static ResolvedModel? FindKnown(string asked, IEnumerable<NodeInventory> inventories)
    {
        var found = new List<(string, ModelDescription)>();
        var missing = new List<(string, string)>();
        foreach (var inventory in inventories)
        {
            if (inventory.Models.FirstOrDefault(model => model.ModelId == asked || model.Path == asked) is { } model)
            {
                found.Add((inventory.NodeId, model));
            }
            else
            {
                missing.Add((inventory.NodeId, $"It does not have the files of model '{asked}'."));
            }
        }

        return found.Count == 0 ? null : Join(asked, found, missing);
    }

    /// <summary>The answer for a model that nobody has.</summary>
    public static ModelResolution.Unknown Unknown(string asked, IReadOnlyCollection<NodeInventory> inventories)
    {
        var known = inventories.SelectMany(inventory => inventory.Models).Select(model => model.ModelId).Distinct().Order(StringComparer.Ordinal).ToArray();
        var nearest = NearestNames.Find(asked, known, 3);
        var hint = (nearest.IsEmpty, known.Length, inventories.Count) switch
        {
            (false, _, _) => $"Near to it: {string.Join(", ", nearest)}.",
            (_, _, 0) => "No node has reported its models yet.",
            (_, 0, _) => "No node has any model; put a folder with config.json and safetensors files under an agent's model directory, or give a folder's path.",
            _ => "GET /api/models lists those there are; a folder that the nodes can see works as well, by its absolute path.",
        };
        return new ModelResolution.Unknown($"No node has a model '{asked}'. {hint}", nearest);
    }

    private static string Short(string fingerprint) => fingerprint.Length > 12 ? fingerprint[..12] : fingerprint;
}
