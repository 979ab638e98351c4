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
        var config = Config(model.ConfigJson);
        var intermediate = Whole(config, "intermediate_size");
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
            parameters)
        {
            IsFloat32 = IsFloat32(config),
        };
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

    /// <summary>The fields of config.json; none of what can't be read.</summary>
    private static Dictionary<string, JsonElement> Config(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json.Length == 0 ? "{}" : json);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.EnumerateObject().GroupBy(property => property.Name).ToDictionary(group => group.Key, group => group.Last().Value.Clone())
                : [];
        }
        catch (JsonException)
        {
            // The agent has read the file already; without these fields the planner only predicts less well.
            return [];
        }
    }

    private static int Whole(Dictionary<string, JsonElement> config, string name) =>
        config.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : 0;

    // By either of its two names, as the agents read it.
    private static bool IsFloat32(Dictionary<string, JsonElement> config) =>
        (config.TryGetValue("torch_dtype", out var type) || config.TryGetValue("dtype", out type)) && type.ValueKind == JsonValueKind.String && type.ValueEquals("float32");
}
