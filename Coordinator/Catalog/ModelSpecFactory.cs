using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Catalog;

/// <summary>Makes the planner's view of a model from what an agent read in its files.</summary>
internal static class ModelSpecFactory
{
    public static ModelSpec FromDescription(ModelDescription description)
    {
        var config = ConfigGeometry.Parse(description.ConfigJson);
        var kvElements = 2 * (int)description.KvHeads * (int)description.HeadDim;
        var layers = description.LayerBytes.Select(bytes => new LayerSpec((long)bytes, (long)bytes, kvElements, 0, 0)).ToImmutableArray();
        return new ModelSpec(
            description.ModelId,
            description.Architecture,
            description.ModelType,
            layers,
            (long)description.EmbeddingBytes,
            (long)description.HeadBytes,
            (long)description.FinalNormBytes,
            description.TiedEmbeddings,
            (int)description.HiddenSize,
            config.IntermediateSize,
            (int)description.AttentionHeads,
            (int)description.KvHeads,
            (int)description.HeadDim,
            (int)description.VocabularySize,
            (int)description.MaxContextTokens,
            config.WeightBits,
            description.TotalBytes * 8.0 / config.WeightBits,
            description.TotalBytes * 8.0 / config.WeightBits);
    }
}
