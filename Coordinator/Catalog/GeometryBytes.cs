using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Coordinator.Catalog;

/// <summary>Counts parameters and bytes from a model's shape, layer by layer.</summary>
internal static class GeometryBytes
{
    // Norms, biases and routers stay at 16 bits whatever the matrices are stored at.
    private const double SmallBits = 16;

    public static ModelSpec Spec(string id, ModelGeometry model, WeightStorage storage)
    {
        var layers = Enumerable.Range(0, model.Layers).Select(index => Layer(model, storage, index)).ToArray();
        var embedding = (double)model.Vocabulary * model.Hidden;
        var parameters = Enumerable.Range(0, model.Layers).Select(index => Count(model, index)).ToArray();
        var total = parameters.Sum(layer => layer.Total) + (embedding * (model.TiedEmbeddings ? 1 : 2)) + model.Hidden;
        var active = parameters.Sum(layer => layer.Active) + embedding + model.Hidden;
        return new ModelSpec(
            id,
            model.Architecture,
            model.ModelType,
            [.. layers],
            Bytes(embedding, storage.Bits),
            model.TiedEmbeddings ? 0 : Bytes(embedding, storage.Bits),
            Bytes(model.Hidden, SmallBits),
            model.TiedEmbeddings,
            model.Hidden,
            ActiveWidth(model),
            model.AttentionHeads,
            model.KvHeads,
            model.HeadDim,
            model.Vocabulary,
            model.MaxContext,
            storage.Bits,
            total,
            // A dense model's figure is the usual one: all parameters.
            model.Experts == 0 ? total : active)
        {
            Format = storage.Bits >= 16 && storage.ExpertBits >= 16 ? WeightFormat.Half : WeightFormat.Simple,
        };
    }

    /// <summary>Parameters of a layer: all, and those that one token passes.</summary>
    public static (double Total, double Active, double Shared, double Expert, double Small) Count(ModelGeometry model, int layer)
    {
        var attention = Attention(model, layer);
        double hidden = model.Hidden;
        var isDense = model.Experts == 0 || layer < model.FirstDense;
        var small = 2 * hidden;
        if (isDense)
        {
            var dense = attention + (3 * hidden * model.Intermediate);
            return (dense + small, dense + small, dense, 0, small);
        }

        var router = hidden * model.Experts;
        var shared = attention + (3 * hidden * model.SharedIntermediate);
        var expert = 3 * hidden * model.ExpertIntermediate;
        return (
            shared + router + small + (expert * model.Experts),
            shared + router + small + (expert * model.ExpertsPerToken),
            shared,
            expert,
            router + small);
    }

    private static LayerSpec Layer(ModelGeometry model, WeightStorage storage, int index)
    {
        var count = Count(model, index);
        var fixedBytes = Bytes(count.Shared, storage.Bits) + Bytes(count.Small, SmallBits);
        var expert = Bytes(count.Expert, storage.ExpertBits);
        var layer = new LayerSpec(
            fixedBytes + (expert * model.Experts),
            fixedBytes + (expert * model.ExpertsPerToken),
            KvElements(model, index),
            model.IsFull(index) ? 0 : model.WindowTokens,
            StateElements(model, index))
        {
            IsLatent = model.Latent is not null,
        };
        return count.Expert > 0 ? layer with { SharedBytes = fixedBytes } : layer;
    }

    private static double Attention(ModelGeometry model, int layer)
    {
        double hidden = model.Hidden;
        if (model.Linear is { } linear && !model.IsFull(layer))
        {
            double keys = linear.KeyHeads * linear.KeyDim;
            double values = linear.ValueHeads * linear.ValueDim;
            return (hidden * ((2 * keys) + (2 * values) + (2 * linear.ValueHeads))) + (values * hidden)
                + (((2 * keys) + values) * linear.ConvolutionKernel);
        }

        if (model.Latent is { } latent)
        {
            double queryWidth = model.AttentionHeads * (latent.NopeDim + latent.RopeDim);
            var query = latent.QueryRank > 0 ? (hidden * latent.QueryRank) + (latent.QueryRank * queryWidth) : hidden * queryWidth;
            return query
                + (hidden * (latent.KvRank + latent.RopeDim))
                + ((double)latent.KvRank * model.AttentionHeads * (latent.NopeDim + latent.ValueDim))
                + ((double)model.AttentionHeads * latent.ValueDim * hidden);
        }

        return hidden * model.HeadDim * ((2 * model.AttentionHeads) + (2 * model.KvHeads));
    }

    private static int KvElements(ModelGeometry model, int layer) =>
        model.Latent is { } latent ? latent.KvRank + latent.RopeDim
        : model.Linear is not null && !model.IsFull(layer) ? 0
        : 2 * model.KvHeads * model.HeadDim;

    private static int StateElements(ModelGeometry model, int layer) =>
        model.Linear is { } linear && !model.IsFull(layer)
            ? (linear.ValueHeads * linear.KeyDim * linear.ValueDim) + (((2 * linear.KeyHeads * linear.KeyDim) + (linear.ValueHeads * linear.ValueDim)) * linear.ConvolutionKernel)
            : 0;

    private static int ActiveWidth(ModelGeometry model) =>
        model.Experts == 0 ? model.Intermediate : Math.Max(model.Intermediate * Math.Sign(model.FirstDense), model.SharedIntermediate + (model.ExpertIntermediate * model.ExpertsPerToken));

    private static long Bytes(double parameters, double bits) => (long)Math.Round(parameters * bits / 8);
}
