namespace ClusterLlm.ModelFiles;

/// <summary>A model on disk: its configuration, its tensor headers and its layout. Weights are not read.</summary>
public sealed class ModelFolder
{
    /// <summary>Absolute path of the folder.</summary>
    public required string Path { get; init; }

    /// <summary>The folder's name.</summary>
    public required string Id { get; init; }
}
