namespace ClusterLlm.ModelFiles;

/// <summary>Checks that the tensors of a dense Llama-like decoder are there and have the shapes that config.json asks for.</summary>
public static class DenseDecoderShapes
{
    /// <summary>Values of <c>model_type</c> whose tensors are known here.</summary>
    public static IReadOnlySet<string> ModelTypes { get; } = new HashSet<string>(StringComparer.Ordinal) { "llama", "mistral", "qwen2", "qwen3" };

    /// <summary>Checks the tensors of the layers and, where asked, of the ends of the model.</summary>
    /// <exception cref="ModelFileException">A tensor is missing, or its shape is another one.</exception>
    public static void Check(ModelFolder model, int firstLayer, int layerCount, bool embedding, bool head)
    {
        ModelConfig config = model.Config;
        ModelLayout layout = model.Layout;
        if (embedding)
        {
            CheckMatrix(model, layout.EmbeddingName, config.VocabularySize, config.HiddenSize);
        }

        for (var layer = firstLayer; layer < firstLayer + layerCount; layer++)
        {
            CheckLayer(model, layout.LayerPrefix(layer));
        }

        if (head)
        {
            CheckVector(model, layout.FinalNormName + ".weight", config.HiddenSize);
            CheckMatrix(model, layout.TiedEmbeddings ? layout.EmbeddingName : layout.HeadName, config.VocabularySize, config.HiddenSize);
        }
    }

    private static void CheckLayer(ModelFolder model, string layer)
    {
        ModelConfig config = model.Config;
        var queries = config.AttentionHeads * config.HeadDim;
        var keys = config.KvHeads * config.HeadDim;
        CheckVector(model, layer + "input_layernorm.weight", config.HiddenSize);
        CheckLinear(model, layer + "self_attn.q_proj", queries, config.HiddenSize, config.AttentionBias);
        CheckLinear(model, layer + "self_attn.k_proj", keys, config.HiddenSize, config.AttentionBias);
        CheckLinear(model, layer + "self_attn.v_proj", keys, config.HiddenSize, config.AttentionBias);
        CheckLinear(model, layer + "self_attn.o_proj", config.HiddenSize, queries, config.AttentionOutputBias);
        if (config.ModelType == "qwen3")
        {
            CheckVector(model, layer + "self_attn.q_norm.weight", config.HeadDim);
            CheckVector(model, layer + "self_attn.k_norm.weight", config.HeadDim);
        }

        CheckVector(model, layer + "post_attention_layernorm.weight", config.HiddenSize);
        CheckLinear(model, layer + "mlp.gate_proj", config.IntermediateSize, config.HiddenSize, config.MlpBias);
        CheckLinear(model, layer + "mlp.up_proj", config.IntermediateSize, config.HiddenSize, config.MlpBias);
        CheckLinear(model, layer + "mlp.down_proj", config.HiddenSize, config.IntermediateSize, config.MlpBias);
    }

    private static void CheckLinear(ModelFolder model, string module, int rows, int columns, bool bias)
    {
        CheckMatrix(model, module, rows, columns);
        if (bias)
        {
            CheckVector(model, module + ".bias", rows);
        }
    }

    private static void CheckMatrix(ModelFolder model, string module, int rows, int columns)
    {
        TensorInfo weight = model.Tensors.Require(module + ".weight");
        if (model.Tensors.Find(module + ".scales") is null || model.Config.Quantization?.For(module) is not { } packing)
        {
            CheckShape(weight, [rows, columns]);
            return;
        }

        // MLX packs the bits of a row into 32-bit words; each group of a row has a scale and, in the affine mode, a bias.
        CheckShape(weight, [rows, (long)columns * packing.Bits / 32]);
        CheckShape(model.Tensors.Require(module + ".scales"), [rows, columns / packing.GroupSize]);
        if (packing.Mode == "affine")
        {
            CheckShape(model.Tensors.Require(module + ".biases"), [rows, columns / packing.GroupSize]);
        }
    }

    private static void CheckVector(ModelFolder model, string name, int length) => CheckShape(model.Tensors.Require(name), [length]);

    private static void CheckShape(TensorInfo tensor, long[] expected)
    {
        if (!tensor.Shape.AsSpan().SequenceEqual(expected))
        {
            throw new ModelFileException(
                tensor.FilePath,
                tensor.Name,
                $"has the shape {tensor.ShapeText}, but config.json asks for {TensorInfo.FormatShape(expected)}; config.json and weights are not of one model");
        }
    }
}
