using System.Diagnostics.CodeAnalysis;
using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Builtin.Kernels;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Model;

/// <summary>Maps the tensors of a layer range. Matrices stay in the map; norms and biases, which are small, become floats.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "What it loads belongs to the StageWeights that it returns.")]
internal sealed class StageWeightsLoader
{
    private readonly ModelFolder _model;
    private readonly KernelSet _kernels;
    private readonly List<NativeBuffer> _vectors;
    private readonly TensorMapping _mapping;

    private StageWeightsLoader(ModelFolder model, TensorMapping mapping, List<NativeBuffer> vectors, KernelSet kernels)
    {
        _model = model;
        _kernels = kernels;
        _mapping = mapping;
        _vectors = vectors;
    }

    /// <exception cref="ModelFileException">A tensor is missing, misshapen or of an unsupported type.</exception>
    /// <exception cref="ShardException">A tensor is packed in a way that the kernels don't read.</exception>
    public static StageWeights Load(ModelFolder model, int firstLayer, int layerCount, KernelSet kernels)
    {
        var isFirst = firstLayer == 0;
        var isLast = firstLayer + layerCount == model.Config.LayerCount;
        DenseDecoderShapes.Check(model, firstLayer, layerCount, isFirst, isLast);
        var mapping = new TensorMapping(StageTensors(model, firstLayer, layerCount));
        List<NativeBuffer> vectors = [];
        try
        {
            return new StageWeightsLoader(model, mapping, vectors, kernels).Load(firstLayer, layerCount, isFirst, isLast);
        }
        catch
        {
            mapping.Dispose();
            vectors.ForEach(vector => vector.Dispose());
            throw;
        }
    }

    private static IEnumerable<TensorInfo> StageTensors(ModelFolder model, int firstLayer, int layerCount)
    {
        var layout = model.Layout;
        var prefixes = Enumerable.Range(firstLayer, layerCount).Select(layout.LayerPrefix).ToList();
        var isLast = firstLayer + layerCount == model.Config.LayerCount;
        if (firstLayer == 0 || (isLast && layout.TiedEmbeddings))
        {
            prefixes.Add(layout.EmbeddingName + ".");
        }

        if (isLast)
        {
            prefixes.Add(layout.FinalNormName + ".");
            prefixes.AddRange(layout.TiedEmbeddings ? [] : [layout.HeadName + "."]);
        }

        return model.Tensors.Tensors.Values.Where(tensor => prefixes.Exists(prefix => tensor.Name.StartsWith(prefix, StringComparison.Ordinal)));
    }

    private StageWeights Load(int firstLayer, int layerCount, bool isFirst, bool isLast)
    {
        var layout = _model.Layout;
        var config = _model.Config;
        var tiedHead = layout.TiedEmbeddings ? layout.EmbeddingName : layout.HeadName;
        return new StageWeights(_mapping, _vectors)
        {
            Embedding = isFirst ? Matrix(layout.EmbeddingName, config.VocabularySize, config.HiddenSize) : null,
            Layers = [.. Enumerable.Range(firstLayer, layerCount).Select(layer => Layer(layout.LayerPrefix(layer)))],
            FinalNorm = isLast ? Vector(layout.FinalNormName + ".weight") : null,
            Head = isLast ? Matrix(tiedHead, config.VocabularySize, config.HiddenSize) : null,
        };
    }

    private LayerWeights Layer(string prefix)
    {
        var config = _model.Config;
        var queries = config.AttentionHeads * config.HeadDim;
        var keys = config.KvHeads * config.HeadDim;
        var attention = prefix + "self_attn.";
        var hasHeadNorms = config.ModelType == "qwen3";
        return new LayerWeights(
            Vector(prefix + "input_layernorm.weight"),
            Linear(attention + "q_proj", queries, config.HiddenSize, config.AttentionBias),
            Linear(attention + "k_proj", keys, config.HiddenSize, config.AttentionBias),
            Linear(attention + "v_proj", keys, config.HiddenSize, config.AttentionBias),
            Linear(attention + "o_proj", config.HiddenSize, queries, config.AttentionOutputBias),
            hasHeadNorms ? Vector(attention + "q_norm.weight") : null,
            hasHeadNorms ? Vector(attention + "k_norm.weight") : null,
            Vector(prefix + "post_attention_layernorm.weight"),
            Linear(prefix + "mlp.gate_proj", config.IntermediateSize, config.HiddenSize, config.MlpBias),
            Linear(prefix + "mlp.up_proj", config.IntermediateSize, config.HiddenSize, config.MlpBias),
            Linear(prefix + "mlp.down_proj", config.HiddenSize, config.IntermediateSize, config.MlpBias));
    }

    private Linear Linear(string module, int rows, int columns, bool bias) =>
        new(Matrix(module, rows, columns), bias ? Vector(module + ".bias") : null);

    private unsafe NativeBuffer Vector(string name)
    {
        var tensor = _model.Tensors.Require(name);
        var count = checked((int)tensor.ElementCount);
        var vector = new NativeBuffer(count);
        _vectors.Add(vector);
        _kernels.DecodeDense(DenseFormat(tensor), (byte*)_mapping.Address(tensor), count, vector.Pointer);
        return vector;
    }

    private unsafe WeightMatrix Matrix(string module, int rows, int columns)
    {
        var tensors = _model.Tensors;
        var weight = tensors.Require(module + ".weight");
        var data = (byte*)_mapping.Address(weight);
        if (tensors.Find(module + ".scales") is not { } scales)
        {
            return new WeightMatrix(DenseFormat(weight), data, rows, columns);
        }

        if (_model.Config.Quantization?.For(module) is not { } packing)
        {
            throw new ShardException($"{scales.FilePath}: {scales.Name} is there, but config.json has no quantization for {module}; they are not of one model.");
        }

        if (!ModelSupport.IsSupported(packing))
        {
            throw new ShardException($"{weight.FilePath}: {weight.Name}: {ModelSupport.Describe(packing)}.");
        }

        CheckPacked(weight);
        var biases = tensors.Require(module + ".biases");
        var format = DenseFormat(scales);
        return format != DenseFormat(biases)
            ? throw new ShardException($"{scales.FilePath}: {scales.Name} is {scales.Type}, but {biases.Name} is {biases.Type}; MLX writes both in one type.")
            : new WeightMatrix(packing.Bits == 4 ? WeightFormat.Affine4 : WeightFormat.Affine8, data, rows, columns)
            {
                Scales = (byte*)_mapping.Address(scales),
                Biases = (byte*)_mapping.Address(biases),
                ScaleFormat = format,
                GroupSize = packing.GroupSize,
            };
    }

    private static void CheckPacked(TensorInfo weight)
    {
        if (weight.Type != TensorType.UInt32)
        {
            throw new ShardException($"{weight.FilePath}: {weight.Name} is {weight.Type}, but quantized weights are packed in uint32 words.");
        }
    }

    private static WeightFormat DenseFormat(TensorInfo tensor) => tensor.Type switch
    {
        TensorType.Float32 => WeightFormat.Float32,
        TensorType.Float16 => WeightFormat.Float16,
        TensorType.BFloat16 => WeightFormat.BrainFloat16,
        var other => throw new ShardException(
            $"{tensor.FilePath}: {tensor.Name} is {other}, which the builtin engine does not read; it reads bf16, f16, f32 and MLX affine 4 and 8 bit."),
    };
}
