using System.Collections.Immutable;
using ClusterLlm.ServiceDefaults.Security;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Joining;

/// <summary>The revocation list as this node has it: it comes with the lease and is kept, so that a restart without the Coordinator forgets nothing.</summary>
internal sealed class Revocations(ClusterCredentials credentials, CredentialFolder folder)
{
    public ulong Version => folder.ReadRecord().RevocationVersion;

    /// <param name="list"><see langword="null"/>: nothing new.</param>
    public void Take(Proto.RevocationList? list)
    {
        if (list is null)
        {
            return;
        }

        ImmutableArray<string> serials = [.. list.Serials];
        folder.WriteRecord(folder.ReadRecord() with { RevocationVersion = list.Version, Revoked = serials });
        credentials.ReplaceRevoked([.. serials]);
    }
}
