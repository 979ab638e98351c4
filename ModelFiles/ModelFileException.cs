namespace ClusterLlm.ModelFiles;

/// <summary>A model's file that can't be used as it is. The message names the file, the tensor or field, the value, and what to do.</summary>
public sealed class ModelFileException : Exception
{
    /// <param name="path">The file (or folder) at fault.</param>
    /// <param name="item">The tensor, field or entry at fault; <see langword="null"/> when it is the file as a whole.</param>
    /// <param name="problem">What is wrong, with the value, and the remedy.</param>
    public ModelFileException(string path, string? item, string problem, Exception? inner = null)
        : base(item is null ? $"{path}: {problem}" : $"{path}: {item}: {problem}", inner)
    {
        Path = path;
        Item = item;
    }

    /// <summary>The file (or folder) at fault.</summary>
    public string Path { get; }

    /// <summary>The tensor, field or entry at fault; <see langword="null"/> when it is the file as a whole.</summary>
    public string? Item { get; }
}
