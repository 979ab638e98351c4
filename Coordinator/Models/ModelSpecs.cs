using System.Collections.Immutable;
using System.Text.Json;
using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Models;

/// <summary>From an agent's description of a model to the planner's.</summary>
internal static class ModelSpecs
{
    /// <summary>The planner's view; dense decoders with plain attention, which is what agents list today.</summary>
    public static ModelSpec ToSpec(this ModelDescription model)
    {
        var kvElements = Number(2UL * model.KvHeads * model.HeadDim);
        ImmutableArray<LayerSpec> layers = [.. model.LayerBytes.Select(bytes => new LayerSpec((long)bytes, (long)bytes, kvElements, 0, 0))];
        layers = ConfigLayers.Refine(model.ConfigJson, layers);
        var config = ConfigNumbers(model.ConfigJson);
        var intermediate = config("intermediate_size");
        var parameters = Parameters(model, intermediate);
        return new ModelSpec(
            model.ModelId,
            model.Architecture,
            model.ModelType,
            layers,
            (long)model.EmbeddingBytes,
            (long)model.HeadBytes,
            (long)model.FinalNormBytes,
            model.TiedEmbeddings,
            Number(model.HiddenSize),
            intermediate,
            Number(model.AttentionHeads),
            Number(model.KvHeads),
            Number(model.HeadDim),
            Number(model.VocabularySize),
            Number(model.MaxContextTokens),
            parameters > 0 ? model.TotalBytes * 8.0 / parameters : 16,
            parameters,
            parameters);
    }

    // Nonsense from an agent stays a large number and does not turn negative.
    private static int Number(ulong value) => (int)Math.Min(value, int.MaxValue);

    // Attention, gated feed-forward and embeddings; norms and biases are below a thousandth.
    private static double Parameters(ModelDescription model, int intermediate)
    {
        double hidden = model.HiddenSize;
        var attention = hidden * model.HeadDim * ((2 * model.AttentionHeads) + (2 * model.KvHeads));
        var embeddings = hidden * model.VocabularySize * (model.TiedEmbeddings ? 1 : 2);
        return intermediate == 0 ? 0 : (model.LayerCount * (attention + (3 * hidden * intermediate))) + embeddings;
    }

    private static Func<string, int> ConfigNumbers(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json.Length == 0 ? "{}" : json);
            var numbers = document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.EnumerateObject()
                    .Where(property => property.Value.ValueKind == JsonValueKind.Number && property.Value.TryGetInt32(out _))
                    .GroupBy(property => property.Name)
                    .ToDictionary(group => group.Key, group => group.Last().Value.GetInt32())
                : [];
            return name => numbers.GetValueOrDefault(name);
        }
        catch (JsonException)
        {
            // The agent has read the file already; without these numbers the planner only predicts less well.
            return _ => 0;
        }
    }
}
