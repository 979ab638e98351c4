using ClusterLlm.Coordinator.Placement.Prediction;
using ClusterLlm.Prediction.Rows;

namespace ClusterLlm.Prediction.Replay;

/// <summary>Which hop constant a cluster row is about.</summary>
internal static class HopClass
{
    /// <summary>exo's first generation serialised 32-bit activations in Python: its hop grew with their width.</summary>
    public const string OldExo = "hop exo 0 per 1000 hidden";

    public static string Of(MeasurementRow row) =>
        row.Engine.StartsWith("exo 0.", StringComparison.Ordinal) ? OldExo
        : RowReading.Family(row) != EngineFamily.Mlx ? "hop llama.cpp rpc"
        : row.Link.Contains("rdma", StringComparison.Ordinal) ? "hop mlx rdma"
        : row.Link.Contains("wifi", StringComparison.Ordinal) ? "hop mlx wifi"
        : "hop mlx tcp";

    /// <summary>Units of the class's constant in one hop.</summary>
    public static double Units(MeasurementRow row) =>
        Of(row) == OldExo ? MeasuredModels.Spec(row.ModelKey, 4, "").HiddenSize / 1000.0 : 1;
}
