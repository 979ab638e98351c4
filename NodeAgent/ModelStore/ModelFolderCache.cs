using System.Collections.Concurrent;
using ClusterLlm.ModelFiles;

namespace ClusterLlm.NodeAgent.ModelStore;

/// <summary>Opened model folders, kept until one of their files changes.</summary>
internal sealed class ModelFolderCache
{
    private readonly ConcurrentDictionary<string, (FolderStamp Stamp, ModelFolder Folder)> _folders = new(StringComparer.Ordinal);

    /// <exception cref="ModelFileException">The folder can't be read as a model.</exception>
    public ModelFolder Open(string path)
    {
        try
        {
            var stamp = FolderStamp.Of(new DirectoryInfo(path));
            if (_folders.TryGetValue(path, out var kept) && kept.Stamp == stamp)
            {
                return kept.Folder;
            }

            var folder = ModelFolder.Open(path);
            _folders[path] = (stamp, folder);
            return folder;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ModelFileException(path, null, $"can't be read: {error.Message}", error);
        }
    }
}
