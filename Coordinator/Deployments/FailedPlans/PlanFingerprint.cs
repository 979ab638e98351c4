using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Deployments.FailedPlans;

/// <summary>What makes two plans the same plan. Pure.</summary>
internal static class PlanFingerprint
{
    private const int Digits = 16;

    /// <summary>
    /// Of the model's files, the engine with its version on each node, the nodes with their ranks and layers, and what decides about memory (context and sequences): with
    /// any of it changed, an earlier failure says nothing.
    /// </summary>
    /// <param name="modelFingerprint">Of the model's files.</param>
    /// <param name="engineVersion">Node id to the version of the plan's engine there; empty when unknown.</param>
    /// <returns>16 hexadecimal digits.</returns>
    public static string Of(string modelFingerprint, PlacementPlan plan, Func<string, string> engineVersion)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{modelFingerprint}\n{plan.Engine}\n{plan.ContextTokens} {plan.MaxConcurrency}\n");
        foreach (var stage in plan.Stages.OrderBy(stage => stage.Rank))
        {
            text.Append(CultureInfo.InvariantCulture, $"{stage.Rank} {stage.FirstLayer} {stage.LayerCount} {stage.NodeId} {engineVersion(stage.NodeId)}\n");
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..Digits];
    }

    /// <summary>The plan in words, for example <c>node-1 layers 0-11, node-2 layers 12-23 with mlx</c>.</summary>
    public static string Describe(PlacementPlan plan) =>
        $"{string.Join(", ", plan.Stages.Select(stage => FormattableString.Invariant($"{stage.NodeId} layers {stage.FirstLayer}-{stage.FirstLayer + stage.LayerCount - 1}")))} with {plan.Engine}";
}
