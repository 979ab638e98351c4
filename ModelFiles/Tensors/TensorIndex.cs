using System.Collections.Frozen;
using System.Collections.Immutable;

namespace ClusterLlm.ModelFiles;

/// <summary>All tensors of a model's folder, from the headers of its safetensors files. Weights are not read.</summary>
public sealed class TensorIndex
{
    private readonly FrozenDictionary<string, string> _missingTensors;

    private TensorIndex(string folder, IReadOnlyCollection<SafetensorsHeader> headers, IReadOnlyDictionary<string, string> missingTensors)
    {
        Folder = folder;
        Headers = [.. headers];
        Tensors = Collect(headers);
        _missingTensors = missingTensors.ToFrozenDictionary(StringComparer.Ordinal);
        MissingFiles = [.. missingTensors.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    /// <summary>The folder that was read.</summary>
    public string Folder { get; }

    /// <summary>By name, those of all files that are there.</summary>
    public FrozenDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>File names that the index names and that are not in the folder; a node may hold only the files that it needs.</summary>
    public ImmutableArray<string> MissingFiles { get; }

    /// <summary>Names of the tensors in <see cref="MissingFiles"/>; nothing else is known of them.</summary>
    public IEnumerable<string> MissingTensors => _missingTensors.Keys;

    internal ImmutableArray<SafetensorsHeader> Headers { get; }

    /// <summary>Reads the headers of <c>model.safetensors</c>, or of the files that <c>model.safetensors.index.json</c> names.</summary>
    /// <exception cref="ModelFileException">A file is missing, truncated or damaged, or two files hold the same tensor.</exception>
    public static TensorIndex Read(string folder)
    {
        // The order of transformers: a single file wins over an index, which may be a stale one.
        var single = Path.Combine(folder, "model.safetensors");
        var index = Path.Combine(folder, "model.safetensors.index.json");
        if (File.Exists(single))
        {
            return new TensorIndex(folder, [SafetensorsHeader.Read(single)], FrozenDictionary<string, string>.Empty);
        }

        return File.Exists(index) ? ReadSharded(folder, index) : ReadUnindexed(folder);
    }

    /// <summary>The tensor, or <see langword="null"/> when no file that is there holds it.</summary>
    public TensorInfo? Find(string name) => Tensors.GetValueOrDefault(name);

    /// <summary>The tensor.</summary>
    /// <exception cref="ModelFileException">It is in a file that is missing, or the model has none of that name.</exception>
    public TensorInfo Require(string name)
    {
        if (Tensors.TryGetValue(name, out TensorInfo? tensor))
        {
            return tensor;
        }

        throw _missingTensors.TryGetValue(name, out var file)
            ? new ModelFileException(Path.Combine(Folder, file), name, "is in this file, which does not exist; copy or download it into the folder")
            : new ModelFileException(Folder, name, $"is in none of the model's files ({string.Join(", ", Headers.Select(header => Path.GetFileName(header.Path)))}); the model is incomplete or of another architecture than its config.json says");
    }

    private static TensorIndex ReadSharded(string folder, string indexPath)
    {
        IReadOnlyDictionary<string, string> map = ShardMap.Read(indexPath);
        ILookup<bool, string> files = map.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)
            .ToLookup(file => File.Exists(Path.Combine(folder, file)));
        SafetensorsHeader[] headers = [.. files[true].Select(file => SafetensorsHeader.Read(Path.Combine(folder, file)))];
        HashSet<string> missing = [.. files[false]];
        var index = new TensorIndex(
            folder, headers, map.Where(entry => missing.Contains(entry.Value)).ToDictionary(StringComparer.Ordinal));
        foreach ((var name, var file) in map)
        {
            TensorInfo? tensor = index.Find(name);
            if (!missing.Contains(file) && (tensor is null || Path.GetFileName(tensor.FilePath) != file))
            {
                throw new ModelFileException(
                    indexPath, name, $"is said to be in {file}, whose header does not have it; index and files are not of one model: copy or download them again");
            }
        }

        return index;
    }

    private static TensorIndex ReadUnindexed(string folder)
    {
        var files = Directory.Exists(folder) ? Directory.GetFiles(folder, "model*.safetensors") : [];
        return files.Length > 0
            ? new TensorIndex(folder, [.. files.Order(StringComparer.Ordinal).Select(SafetensorsHeader.Read)], FrozenDictionary<string, string>.Empty)
            : throw new ModelFileException(
                folder, null, "has neither model.safetensors nor model.safetensors.index.json; copy or download the model's folder completely");
    }

    private static FrozenDictionary<string, TensorInfo> Collect(IReadOnlyCollection<SafetensorsHeader> headers)
    {
        Dictionary<string, TensorInfo> tensors = new(StringComparer.Ordinal);
        foreach (TensorInfo tensor in headers.SelectMany(header => header.Tensors))
        {
            if (!tensors.TryAdd(tensor.Name, tensor))
            {
                throw new ModelFileException(
                    tensor.FilePath, tensor.Name, $"is also in {Path.GetFileName(tensors[tensor.Name].FilePath)}; the folder mixes files of two models");
            }
        }

        return tensors.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
