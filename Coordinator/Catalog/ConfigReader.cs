using System.Text.Json;

namespace ClusterLlm.Coordinator.Catalog;

/// <summary>config.json is missing fields, or they contradict each other; the message names field, value and remedy.</summary>
internal sealed class ModelConfigException(string message) : Exception(message);

/// <summary>Reads the shape of a model from its config.json, for all decoders that the planner knows.</summary>
internal sealed class ConfigReader
{
    private readonly JsonElement _config;
    private readonly string _name;

    private ConfigReader(JsonElement config, string name) => (_config, _name) = (config, name);

    /// <param name="name">Of the file or the model, for messages.</param>
    /// <exception cref="ModelConfigException">No JSON, or fields are missing or contradict each other.</exception>
    public static ModelGeometry Read(string json, string name)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new ConfigReader(TextPart(document.RootElement), name).Geometry()
                : throw new ModelConfigException($"{name} is no JSON object; it should be a model's config.json.");
        }
        catch (JsonException e)
        {
            throw new ModelConfigException($"{name} is no JSON: {e.Message}");
        }
    }

    /// <summary>Storage that the file states; 16 bits when it states none.</summary>
    public static WeightStorage Storage(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        if ((root.TryGetProperty("quantization", out var quantization) || root.TryGetProperty("quantization_config", out quantization))
            && quantization.ValueKind == JsonValueKind.Object)
        {
            var bits = Whole(quantization, "bits");
            var group = Whole(quantization, "group_size");
            if (bits > 0 && group > 0)
            {
                // MLX affine: a 16-bit scale and a 16-bit bias for each group.
                var average = bits + (32.0 / group);
                return new WeightStorage($"{bits}bit", average, average);
            }

            return quantization.TryGetProperty("quant_method", out var method) && method.GetString() == "mxfp4"
                ? new WeightStorage("mxfp4", 16, 4.25)
                : new WeightStorage("fp8", 8, 8);
        }

        return root.TryGetProperty("torch_dtype", out var type) && type.GetString() == "float32"
            ? new WeightStorage("f32", 32, 32)
            : new WeightStorage("bf16", 16, 16);
    }

    // Models that also see keep their decoder in a part of its own.
    private static JsonElement TextPart(JsonElement root) =>
        root.TryGetProperty("text_config", out var text) && text.ValueKind == JsonValueKind.Object ? text : root;

    private ModelGeometry Geometry()
    {
        var hidden = Required("hidden_size");
        var heads = Required("num_attention_heads");
        var kvHeads = Whole(_config, "num_key_value_heads") is > 0 and var given ? given : heads;
        var experts = First("num_experts", "n_routed_experts", "num_local_experts");
        var layers = Required("num_hidden_layers");
        var latent = Latent();
        if (latent is null && heads % kvHeads != 0)
        {
            throw new ModelConfigException($"{_name}: num_attention_heads is {heads}, no multiple of num_key_value_heads, which is {kvHeads}; one of them is wrong.");
        }

        var headDim = Whole(_config, "head_dim") is > 0 and var dim ? dim : hidden / heads;
        if (headDim == 0)
        {
            throw new ModelConfigException($"{_name}: hidden_size {hidden} is less than num_attention_heads {heads}; give head_dim.");
        }

        return new ModelGeometry(
            Architecture(), Text("model_type"), layers, hidden, Whole(_config, "intermediate_size"), heads, kvHeads, headDim,
            Required("vocab_size"), Flag("tie_word_embeddings"), Whole(_config, "max_position_embeddings"),
            experts, ExpertsPerToken(experts), ExpertWidth(experts), SharedWidth(experts), Whole(_config, "first_k_dense_replace"))
        {
            Latent = latent,
            FullEvery = FullEvery(layers),
            FullLayers = FullLayers(layers),
            WindowTokens = Window(),
            Linear = Linear(),
        };
    }

    private int ExpertsPerToken(int experts)
    {
        if (experts == 0)
        {
            return 0;
        }

        var chosen = First("num_experts_per_tok", "experts_per_token", "moe_topk");
        return chosen is >= 1 && chosen <= experts
            ? chosen
            : throw new ModelConfigException($"{_name}: num_experts_per_tok is {chosen}, but there are {experts} experts; give 1 to {experts}.");
    }

    private int ExpertWidth(int experts) => experts == 0 ? 0 : First("moe_intermediate_size", "intermediate_size");

    private int SharedWidth(int experts)
    {
        if (experts == 0)
        {
            return 0;
        }

        var own = Whole(_config, "shared_expert_intermediate_size");
        return own > 0 ? own : Whole(_config, "n_shared_experts") * ExpertWidth(experts);
    }

    private LatentShape? Latent()
    {
        var rank = Whole(_config, "kv_lora_rank");
        return rank == 0
            ? null
            : new LatentShape(Whole(_config, "q_lora_rank"), rank, Required("qk_rope_head_dim"), Required("qk_nope_head_dim"), Required("v_head_dim"));
    }

    private LinearShape? Linear() => Whole(_config, "linear_num_value_heads") is > 0 and var values
        ? new LinearShape(
            Required("linear_num_key_heads"), values, Required("linear_key_head_dim"), Required("linear_value_head_dim"), Whole(_config, "linear_conv_kernel_dim"))
        : null;

    private int FullEvery(int layers)
    {
        var every = First("full_attention_interval", "sliding_window_pattern");
        if (every > 0)
        {
            return every;
        }

        return layers;
    }

    /// <summary>From <c>layer_types</c>; all are full when nothing says otherwise.</summary>
    private bool[]? FullLayers(int layers)
    {
        if (_config.TryGetProperty("layer_types", out var types) && types.ValueKind == JsonValueKind.Array)
        {
            return types.GetArrayLength() == layers
                ? [.. types.EnumerateArray().Select(type => type.GetString() == "full_attention")]
                : throw new ModelConfigException($"{_name}: layer_types has {types.GetArrayLength()} entries, num_hidden_layers is {layers}; they must be equal.");
        }

        var hasPattern = First("full_attention_interval", "sliding_window_pattern") > 0;
        return hasPattern ? null : [.. Enumerable.Repeat(true, layers)];
    }

    private int Window() => Linear() is null ? Whole(_config, "sliding_window") : 0;

    private string Architecture() =>
        _config.TryGetProperty("architectures", out var list) && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0
            ? list[0].GetString() ?? ""
            : "";

    private string Text(string field) => _config.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private bool Flag(string field) => _config.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.True;

    private int Required(string field) => Whole(_config, field) is > 0 and var number
        ? number
        : throw new ModelConfigException(_config.TryGetProperty(field, out var value)
            ? $"{_name}: {field} is {value.GetRawText()}; a whole number above 0 is needed."
            : $"{_name} has no {field}; without it the model can't be planned.");

    private int First(params ReadOnlySpan<string> fields)
    {
        foreach (var field in fields)
        {
            if (Whole(_config, field) is > 0 and var number)
            {
                return number;
            }
        }

        return 0;
    }

    private static int Whole(JsonElement element, string field) =>
        element.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : 0;
}
