using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Coordinator.Catalog;

/// <summary>What the program knows of chips, engines and links without having measured anything.</summary>
internal static class BuiltInKnowledge
{
    public static PlanningKnowledge Planning { get; } = new(
        SpeedConstantsFile.BuiltIn,
        node => ChipCatalog.BuiltIn.Find(node.Chip, node.GpuCores, node.CpuCores),
        LinkCatalog.BuiltIn);
}
