using ClusterLlm.Coordinator.Models;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Calibration;

/// <summary>Chooses the two models of a node that tell its constants apart best. Pure.</summary>
internal static class CalibrationModels
{
    /// <summary>The pair whose bytes per layer differ most; <see langword="null"/> when the node has fewer than two that differ.</summary>
    /// <param name="fits">Models that the node can hold.</param>
    public static (ModelSpec Small, ModelSpec Large)? Choose(IEnumerable<ModelSpec> fits)
    {
        var sorted = fits.Where(model => model.LayerCount > 0)
            .OrderBy(PerLayer).ThenBy(model => model.Id, StringComparer.Ordinal).ToArray();
        return sorted.Length >= 2 && PerLayer(sorted[^1]) > 1.5 * PerLayer(sorted[0]) ? (sorted[0], sorted[^1]) : null;
    }

    /// <summary>What the node's engine can load, by its inventory.</summary>
    public static IEnumerable<ModelSpec> Loadable(NodeInventory inventory, NodeSnapshot node, string engine) =>
        inventory.Models.Where(model => model.Engines.Count == 0 || model.Engines.Any(support => support.Engine == engine && support.Supported))
            .Select(model => model.ToSpec())
            .Where(model => EngineMemory.For(engine).ForStage(model, 0, model.LayerCount, CalibrationRunner.ContextTokens, 1).TotalBytes <= node.MemoryUsableBytes);

    private static double PerLayer(ModelSpec model) => (double)model.ActiveBytes / model.LayerCount;
}
