namespace ClusterLlm.Coordinator.Placement.Prediction;

/// <summary>
/// Decode on N nodes that share every layer (tensor parallel over RDMA): <c>t(N) = W / N + k</c>. Weights, cache and arithmetic are shared out;
/// the fixed cost of a layer is paid on every node, and two collectives come to each layer, which the CPU hands over.
/// </summary>
/// <remarks>Source: reference/performance.md section 4; one lab's three models, out of sample within 2 %. No engine here places such plans yet.</remarks>
internal static class TensorPredictor
{
    public const string CollectivesPerLayer = "tensor collectives per layer";

    public const string FixedGiantMixture = "tensor fixed giant moe";

    /// <summary>From what one node would take alone.</summary>
    /// <param name="shared">Milliseconds of weights, cache and compute on one node.</param>
    /// <param name="layers">Milliseconds of the layers' fixed cost on one node.</param>
    /// <param name="nodes">≥ 2.</param>
    /// <returns>Milliseconds per token.</returns>
    public static double FromModel(SpeedConstants constants, double shared, double layers, int layerCount, int nodes) =>
        (shared / nodes) + layers + (layerCount * constants.Hops.GetValueOrDefault(CollectivesPerLayer));

    /// <summary>From measurements on one and on two nodes.</summary>
    /// <param name="one">Milliseconds per token on one node; 0 when the model fits no single one: then the engine's fixed part is used.</param>
    /// <param name="two">Milliseconds per token on two nodes.</param>
    public static double FromMeasured(SpeedConstants constants, double one, double two, int nodes)
    {
        var fixedPart = one > 0 ? (2 * two) - one : constants.Hops.GetValueOrDefault(FixedGiantMixture);
        return (2 * (two - fixedPart) / nodes) + fixedPart;
    }

    /// <summary>Whether a model can be shared out so: heads and KV heads must be multiples of the number of nodes.</summary>
    public static bool Divides(ModelSpec model, int nodes) =>
        model.AttentionHeads % nodes == 0 && (model.Attention == AttentionKind.Latent || model.KvHeads % nodes == 0);
}
