using System.Security.Cryptography;
using System.Text;

namespace ClusterLlm.NodeAgent.ModelStore;

/// <summary>Names, sizes and times of a folder's files: as long as they are the same, what was read from it still holds.</summary>
internal readonly record struct FolderStamp(string Digest)
{
    public static FolderStamp Of(DirectoryInfo folder)
    {
        var text = new StringBuilder();
        foreach (var file in folder.EnumerateFiles().OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            // A linked file (the hub's cache links every file) has its content's time, not the link's.
            var content = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
            text.Append(file.Name).Append('|').Append(content.Exists ? content.Length : -1).Append('|').Append(content.LastWriteTimeUtc.Ticks).Append('\n');
        }

        return new FolderStamp(Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString()))));
    }
}
