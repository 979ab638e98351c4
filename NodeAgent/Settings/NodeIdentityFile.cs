using System.Security.Cryptography;
using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.NodeAgent.Settings;

/// <summary>The node id that was made at the first start, kept under the home folder.</summary>
internal static class NodeIdentityFile
{
    private const string FileName = "node-id";

    /// <summary>Reads the kept id, or makes and keeps a new one.</summary>
    /// <exception cref="SettingsException">The folder can't be written, or the file holds no id.</exception>
    public static string ReadOrCreate(string homeDirectory, string hostName)
    {
        var path = Path.Combine(homeDirectory, FileName);
        try
        {
            Directory.CreateDirectory(homeDirectory);
            if (!File.Exists(path))
            {
                Write(path, NodeIds.Create(hostName, BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint)))));
            }

            var id = File.ReadAllText(path).Trim();
            return NodeIds.IsValid(id)
                ? id
                : throw new SettingsException($"{path} holds '{id}', which is no node id: {NodeIds.Rule} Delete the file, or set Node:Id.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException(
                $"The node id can't be kept in {path}: {error.Message} Set Node:Id, or CLUSTERLLM_HOME to a folder that can be written.");
        }
    }

    /// <summary>Written beside and moved, so that a second agent that starts at the same moment never reads half an id.</summary>
    private static void Write(string path, string id)
    {
        var temporary = $"{path}.{Environment.ProcessId}";
        File.WriteAllText(temporary, id + "\n");
        try
        {
            File.Move(temporary, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(temporary);
        }
    }
}
