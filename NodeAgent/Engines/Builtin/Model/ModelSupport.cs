using System.Text.Json;
using ClusterLlm.ModelFiles;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Model;

/// <summary>What the builtin engine can load, and the sentence that says why it can't.</summary>
internal static class ModelSupport
{
    /// <summary>config.json <c>model_type</c> values.</summary>
    public static readonly string[] ModelTypes = ["llama", "mistral", "qwen2", "qwen3"];

    private const string WeightsText = "bf16, f16, f32 and MLX affine 4 and 8 bit with groups of 32, 64 or 128";

    public static EngineVerdict Check(ModelFolder model)
    {
        var reason = CheckConfig(model.Config) ?? CheckQuantization(model.Config.Quantization);
        return reason is null ? EngineVerdict.Supported : new EngineVerdict($"Model {model.Id}: {reason}");
    }

    /// <summary>Whether an affine packing is one that the kernels read.</summary>
    public static bool IsSupported(WeightPacking packing) =>
        packing.Mode == "affine" && packing.Bits is 4 or 8 && packing.GroupSize is 32 or 64 or 128;

    public static string Describe(WeightPacking packing) =>
        $"quantization {packing.Bits} bit {packing.Mode} with groups of {packing.GroupSize} is not supported by the builtin engine; it supports {WeightsText}";

    private static string? CheckConfig(ModelConfig config)
    {
        if (!ModelTypes.Contains(config.ModelType, StringComparer.Ordinal))
        {
            return $"model_type '{config.ModelType}' is not supported by the builtin engine; it supports {string.Join(", ", ModelTypes)}.";
        }

        if (config.HiddenActivation is not ("silu" or "swish"))
        {
            return $"hidden_act '{config.HiddenActivation}' is not supported by the builtin engine; it supports silu.";
        }

        if (config.RopeScaling is { } scaling && !RotaryFrequencies.SupportedTypes.Contains(scaling.Type, StringComparer.Ordinal))
        {
            return $"rope_scaling type '{scaling.Type}' is not supported by the builtin engine; "
                + $"it supports {string.Join(", ", RotaryFrequencies.SupportedTypes)}.";
        }

        return CheckShapes(config) ?? CheckVariants(config);
    }

    private static string? CheckShapes(ModelConfig config)
    {
        if (config.HeadDim % 2 != 0)
        {
            return $"head_dim {config.HeadDim} is odd; rotary positions turn pairs.";
        }

        return config.AttentionHeads % config.KvHeads != 0
            ? $"num_attention_heads {config.AttentionHeads} is no multiple of num_key_value_heads {config.KvHeads}."
            : null;
    }

    private static string? CheckVariants(ModelConfig config)
    {
        if (config.SlidingWindow is { } window && window < config.MaxContextTokens && !(config.MaxWindowLayers >= config.LayerCount))
        {
            return $"sliding_window {window} is not supported by the builtin engine; it attends to the whole context in every layer.";
        }

        return config.Json.TryGetProperty("partial_rotary_factor", out var partial)
            && partial.ValueKind == JsonValueKind.Number && Math.Abs(partial.GetDouble() - 1) > 1e-9
            ? $"partial_rotary_factor {partial.GetRawText()} is not supported by the builtin engine; it rotates whole heads (1.0)."
            : null;
    }

    private static string? CheckQuantization(ModelQuantization? quantization)
    {
        if (quantization is null)
        {
            return null;
        }

        if (quantization.Method != "mlx")
        {
            return $"quantization method '{quantization.Method}' is not supported by the builtin engine; it supports {WeightsText}.";
        }

        var unsupported = quantization.Modules.Values.Append(quantization.Default).FirstOrDefault(packing => packing is not null && !IsSupported(packing));
        return unsupported is null ? null : Describe(unsupported) + ".";
    }
}
