using System.Text.Json;

namespace ClusterLlm.ModelFiles;

/// <summary>How rotary positions are stretched. Which types it can compute is the engine's matter; parameters that a type lacks are null.</summary>
/// <param name="Type"><c>linear</c>, <c>dynamic</c>, <c>llama3</c>, <c>yarn</c>, <c>longrope</c> or what the file says.</param>
/// <param name="Factor">By how much the context is stretched; null when the type does without.</param>
/// <param name="LowFrequencyFactor">llama3: <c>low_freq_factor</c>.</param>
/// <param name="HighFrequencyFactor">llama3: <c>high_freq_factor</c>.</param>
/// <param name="OriginalMaxTokens">The context before the stretching: <c>original_max_position_embeddings</c>.</param>
/// <param name="BetaFast">yarn.</param>
/// <param name="BetaSlow">yarn.</param>
/// <param name="AttentionFactor">yarn, longrope: factor on the cosines and sines; null is the type's own formula.</param>
/// <param name="MScale">yarn as DeepSeek uses it.</param>
/// <param name="MScaleAllDim">yarn as DeepSeek uses it.</param>
/// <param name="Json">The object as it stands in the file, for what is not listed here.</param>
public sealed record RopeScaling(
    string Type,
    double? Factor,
    double? LowFrequencyFactor,
    double? HighFrequencyFactor,
    int? OriginalMaxTokens,
    double? BetaFast,
    double? BetaSlow,
    double? AttentionFactor,
    double? MScale,
    double? MScaleAllDim,
    JsonElement Json)
{
    private const double Max = 1e9;

    /// <summary>Reads <c>rope_scaling</c> or <c>rope_parameters</c>; null for the plain rotary embedding.</summary>
    /// <param name="config">For parameters that some families keep beside the object.</param>
    internal static RopeScaling? Read(JsonElement? json, ConfigFields config)
    {
        if (json is not { } element)
        {
            return null;
        }

        ConfigFields fields = new(config.Path, element);
        var type = fields.Text("rope_type") ?? fields.Text("type") ?? "default";
        if (type == "default")
        {
            return null;
        }

        var factor = fields.Double("factor", 1e-6, Max);
        if (factor is null && (type is "linear" or "dynamic" or "llama3" or "yarn"))
        {
            throw new ModelFileException(config.Path, "rope_scaling.factor", $"is missing; rope type '{type}' needs it");
        }

        return new RopeScaling(
            type,
            factor,
            fields.Double("low_freq_factor", 1e-6, Max),
            fields.Double("high_freq_factor", 1e-6, Max),
            fields.Int32("original_max_position_embeddings", 1, int.MaxValue) ?? config.Int32("original_max_position_embeddings", 1, int.MaxValue),
            fields.Double("beta_fast", 0, Max),
            fields.Double("beta_slow", 0, Max),
            fields.Double("attention_factor", 0, Max),
            fields.Double("mscale", 0, Max),
            fields.Double("mscale_all_dim", 0, Max),
            element);
    }
}
