using System.Security.Cryptography;
using System.Text;

namespace ClusterLlm.NodeAgent.Hardware;

/// <summary>Machine ids that tell machines apart without giving the machine's own id away.</summary>
internal static class MachineIds
{
    private const int Length = 16;

    /// <param name="raw">The system's id, for example the content of /etc/machine-id; where there is none, the host's name.</param>
    /// <returns>16 hexadecimal digits of a SHA-256 over a prefix of our own and the id.</returns>
    public static string Hash(string raw) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("clusterllm-machine:" + raw.Trim())))[..Length];
}
