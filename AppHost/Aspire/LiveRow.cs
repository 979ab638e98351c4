using Aspire.Hosting.ApplicationModel;
using ClusterLlm.AppHost.Cluster;

namespace ClusterLlm.AppHost.Aspire;

/// <summary>A node or deployment as a resource of the dashboard; it comes and goes while the host runs.</summary>
internal sealed class LiveRow(LiveResource current) : Resource(current.Name)
{
    /// <summary>As it was shown last.</summary>
    public LiveResource Current { get; set; } = current;
}
