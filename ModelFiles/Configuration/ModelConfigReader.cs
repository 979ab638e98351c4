using System.Text.Json;

namespace ClusterLlm.ModelFiles;

/// <summary>Maps the JSON of a config.json to <see cref="ModelConfig"/>.</summary>
internal static class ModelConfigReader
{
    public const long MaxBytes = 16 << 20;

    // Far above every model, and low enough that no product of two overflows a long.
    private const int MaxLayers = 10_000;
    private const int MaxSize = 1 << 24;
    private const int MaxVocabulary = 1 << 26;

    public static ModelConfig Read(JsonElement json, string path)
    {
        ConfigFields fields = Fields(json, path);
        var modelType = fields.Text("model_type") ?? throw new ModelFileException(path, "model_type", "is missing; it names the model's family, for example \"llama\"");
        var defaults = ModelFamilyDefaults.For(modelType);
        var hiddenSize = fields.RequireInt32("hidden_size", 1, MaxSize);
        var heads = fields.RequireInt32("num_attention_heads", 1, MaxSize);
        JsonElement? rope = RopeParameters(fields);
        var bias = defaults.QkvBias ?? fields.Boolean("attention_bias") ?? defaults.AttentionBias;
        return new ModelConfig
        {
            Architecture = Architecture(fields),
            ModelType = modelType,
            HiddenSize = hiddenSize,
            IntermediateSize = fields.RequireInt32("intermediate_size", 1, MaxSize),
            LayerCount = fields.RequireInt32("num_hidden_layers", 1, MaxLayers),
            AttentionHeads = heads,
            KvHeads = KvHeads(fields, heads),
            HeadDim = HeadDim(fields, defaults, hiddenSize, heads),
            VocabularySize = fields.RequireInt32("vocab_size", 1, MaxVocabulary),
            MaxContextTokens = fields.Int32("max_position_embeddings", 1, int.MaxValue) ?? defaults.MaxContextTokens,
            RmsNormEpsilon = fields.Double("rms_norm_eps", 0, 1) ?? defaults.RmsNormEpsilon,
            RopeTheta = RopeTheta(fields, rope),
            RopeScaling = RopeScaling.Read(rope, fields),
            TiedEmbeddings = fields.Boolean("tie_word_embeddings") ?? defaults.TiedEmbeddings,
            TiedEmbeddingsStated = fields.Boolean("tie_word_embeddings") is not null,
            AttentionBias = bias,
            AttentionOutputBias = bias && defaults.QkvBias is null,
            MlpBias = fields.Boolean("mlp_bias") ?? false,
            HiddenActivation = fields.Text("hidden_act") ?? fields.Text("hidden_activation") ?? "silu",
            EosTokenIds = [.. fields.TokenIds("eos_token_id")],
            BosTokenId = fields.TokenIds("bos_token_id").Select(id => (int?)id).FirstOrDefault(),
            SlidingWindow = SlidingWindow(fields, defaults),
            MaxWindowLayers = fields.Int32("max_window_layers", 0, int.MaxValue),
            TorchDtype = fields.Text("torch_dtype") ?? fields.Text("dtype"),
            Quantization = ModelQuantization.Read(fields),
            Json = json,
        };
    }

    /// <summary>Models that see or hear keep the language model's fields in <c>text_config</c>.</summary>
    private static ConfigFields Fields(JsonElement json, string path)
    {
        var nested = !json.TryGetProperty("hidden_size", out _)
            && json.TryGetProperty("text_config", out JsonElement text) && text.ValueKind == JsonValueKind.Object;
        return nested ? new ConfigFields(path, json.GetProperty("text_config"), json) : new ConfigFields(path, json);
    }

    private static string Architecture(ConfigFields fields)
    {
        if (fields.Find("architectures") is not { } names)
        {
            return "";
        }

        return names.ValueKind == JsonValueKind.Array && names.GetArrayLength() > 0 && names[0].ValueKind == JsonValueKind.String
            ? JsonText.Value(names[0], fields.Path, "architectures")
            : throw fields.Wrong("architectures", names, "a list of names");
    }

    private static int KvHeads(ConfigFields fields, int heads)
    {
        var kvHeads = fields.Int32("num_key_value_heads", 1, MaxSize) ?? heads;
        return heads % kvHeads == 0
            ? kvHeads
            : throw new ModelFileException(fields.Path, "num_key_value_heads", $"is {kvHeads}, which does not divide num_attention_heads, {heads}");
    }

    private static int HeadDim(ConfigFields fields, ModelFamilyDefaults defaults, int hiddenSize, int heads)
    {
        if ((fields.Int32("head_dim", 1, MaxSize) ?? defaults.HeadDim) is { } headDim)
        {
            return headDim;
        }

        return hiddenSize % heads == 0
            ? hiddenSize / heads
            : throw new ModelFileException(
                fields.Path, "head_dim", $"is missing, and hidden_size, {hiddenSize}, is no multiple of num_attention_heads, {heads}");
    }

    /// <summary>Newer files have <c>rope_parameters</c>, by kind of layer where these differ; older ones <c>rope_scaling</c>.</summary>
    private static JsonElement? RopeParameters(ConfigFields fields)
    {
        JsonElement? parameters = fields.Object("rope_parameters") ?? fields.Object("rope_scaling");
        return parameters is { } outer && outer.TryGetProperty("full_attention", out JsonElement full) && full.ValueKind == JsonValueKind.Object
            ? full
            : parameters;
    }

    private static double RopeTheta(ConfigFields fields, JsonElement? rope)
    {
        const double Default = 10_000;
        var nested = rope is { } json ? new ConfigFields(fields.Path, json).Double("rope_theta", 1e-3, 1e12) : null;
        return nested ?? fields.Double("rope_theta", 1e-3, 1e12) ?? Default;
    }

    private static int? SlidingWindow(ConfigFields fields, ModelFamilyDefaults defaults)
    {
        var window = fields.Int32("sliding_window", 0, int.MaxValue);
        var used = fields.Boolean("use_sliding_window") ?? !defaults.WindowNeedsSwitch;
        return used && window > 0 ? window : null;
    }
}
