using System.Globalization;
using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.Coordinator.Security;

/// <summary>Notes in the home folder how many nodes other machines have: the AppHost starts fewer local agents then.</summary>
internal sealed class OtherMachines(CertificateStore certificates, ClusterHome home)
{
    public async Task UpdateAsync(CancellationToken cancellationToken)
    {
        var count = await certificates.CountRemoteNodesAsync(cancellationToken);
        await File.WriteAllTextAsync(home.RemoteNodesPath, count.ToString(CultureInfo.InvariantCulture), cancellationToken);
    }
}
