using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace ClusterLlm.ModelFiles;

/// <summary>A file of a model's folder.</summary>
public sealed record ModelFile(string Name, long ByteCount);

/// <summary>A model on disk: its configuration, its tensor headers and its layout. Weights are not read.</summary>
public sealed class ModelFolder
{
    private const long MaxTokenizerBytes = 256 << 20;

    /// <summary>Absolute path of the folder.</summary>
    public required string Path { get; init; }

    /// <summary>The folder's name.</summary>
    public required string Id { get; init; }

    public required ModelConfig Config { get; init; }

    public required TensorIndex Tensors { get; init; }

    public required ModelLayout Layout { get; init; }

    public required GenerationDefaults GenerationDefaults { get; init; }

    /// <summary>For people: <c>bf16</c>, <c>4-bit affine, groups of 32</c>.</summary>
    public required string WeightFormat { get; init; }

    /// <summary>The folder's own files, ordered by name; folders in it are not looked into.</summary>
    public required ImmutableArray<ModelFile> Files { get; init; }

    /// <summary>SHA-256 (lower-case hex) over config.json, the safetensors headers and tokenizer.json: equal for equal models on two nodes.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>config.json as it stands in the folder.</summary>
    public required string ConfigJson { get; init; }

    /// <summary>End-of-sequence ids of generation_config.json and config.json together.</summary>
    public ImmutableArray<int> EosTokenIds => [.. GenerationDefaults.EosTokenIds.Union(Config.EosTokenIds)];

    /// <summary>Opens a model's folder: reads config.json, the headers and generation_config.json, and compares them.</summary>
    /// <exception cref="ModelFileException">A file is missing or damaged, or the files contradict each other.</exception>
    public static ModelFolder Open(string path)
    {
        var folder = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        if (!Directory.Exists(folder))
        {
            throw new ModelFileException(folder, null, "is no folder that this process can see; give the path of a model's folder");
        }

        var configPath = System.IO.Path.Combine(folder, "config.json");
        var configJson = ModelFileReader.ReadBytes(configPath, ModelConfigReader.MaxBytes);
        var config = ModelConfig.Parse(configJson, configPath);
        var tensors = TensorIndex.Read(folder);
        var layout = ModelLayout.Create(tensors, config);
        var model = new ModelFolder
        {
            Path = folder,
            Id = System.IO.Path.GetFileName(folder),
            Config = config with { TiedEmbeddings = layout.TiedEmbeddings },
            Tensors = tensors,
            Layout = layout,
            GenerationDefaults = GenerationDefaults.Read(folder),
            WeightFormat = DescribeWeights(config, tensors),
            Files = [.. new DirectoryInfo(folder).GetFiles().OrderBy(file => file.Name, StringComparer.Ordinal).Select(file => new ModelFile(file.Name, file.Length))],
            Fingerprint = ComputeFingerprint(folder, configJson, tensors),
            ConfigJson = Encoding.UTF8.GetString(configJson),
        };
        model.CheckTensors();
        return model;
    }

    /// <summary>Loads the folder's tokenizer and compares its ids with the model's vocabulary.</summary>
    /// <exception cref="ModelFileException">tokenizer.json is missing or damaged, or has ids that the model's output has no place for.</exception>
    public ModelTokenizer LoadTokenizer()
    {
        var tokenizer = ModelTokenizer.Load(Path);
        return tokenizer.VocabularySize <= Config.VocabularySize
            ? tokenizer
            : throw new ModelFileException(
                System.IO.Path.Combine(Path, "tokenizer.json"),
                "vocab",
                $"has ids up to {tokenizer.VocabularySize - 1}, but config.json says vocab_size {Config.VocabularySize}; the files are not of one model");
    }

    private void CheckTensors()
    {
        // With files missing, the node checks what it needs when it needs it.
        if (Tensors.MissingFiles.IsEmpty && DenseDecoderShapes.ModelTypes.Contains(Config.ModelType))
        {
            DenseDecoderShapes.Check(this, 0, Config.LayerCount, embedding: true, head: true);
        }
    }

    private static string DescribeWeights(ModelConfig config, TensorIndex tensors)
    {
        if (config.Quantization is { } quantization)
        {
            return quantization.Default is { } packing ? $"{packing.Bits}-bit {packing.Mode}, groups of {packing.GroupSize}" : quantization.Method;
        }

        return tensors.Tensors.Values.GroupBy(tensor => tensor.Type)
            .OrderByDescending(type => type.Sum(tensor => tensor.ByteCount)).ThenBy(type => type.Key)
            .Select(type => type.Key.ShortName())
            .FirstOrDefault() ?? "empty";
    }

    private static string ComputeFingerprint(string folder, byte[] configJson, TensorIndex tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(SHA256.HashData(configJson));
        foreach (SafetensorsHeader header in tensors.Headers)
        {
            hash.AppendData(header.Sha256.AsSpan());
        }

        var tokenizer = System.IO.Path.Combine(folder, "tokenizer.json");
        if (File.Exists(tokenizer))
        {
            hash.AppendData(SHA256.HashData(ModelFileReader.ReadBytes(tokenizer, MaxTokenizerBytes)));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
