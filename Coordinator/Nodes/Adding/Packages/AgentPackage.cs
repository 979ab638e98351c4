namespace ClusterLlm.Coordinator.Nodes.Adding.Packages;

/// <summary>A self-contained agent for one kind of machine, as an archive.</summary>
/// <param name="Path">Of a tar.gz with <c>ClusterLlm.NodeAgent</c> and <c>node.sh</c> at its top.</param>
/// <param name="Sha256">64 lower-case hexadecimal digits.</param>
/// <param name="UnpackedBytes">Sum of its files.</param>
internal sealed record AgentPackage(string RuntimeIdentifier, string Path, string Sha256, long Bytes, long UnpackedBytes)
{
    /// <summary>Names the folder that it is unpacked to, as <c>node.sh</c> does.</summary>
    public string Version => Sha256[..16];
}

/// <summary>There is no archive for a kind of machine, or it is damaged; the message says what to do.</summary>
internal sealed class AgentPackageException(string message, Exception? cause) : Exception(message, cause);
