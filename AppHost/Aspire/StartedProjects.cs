using Aspire.Hosting;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.AppHost.Aspire;

/// <summary>The Coordinator's project as Aspire starts it: as it was built together with this host.</summary>
internal sealed class CoordinatorProject : IProjectMetadata
{
    public string ProjectPath => BuildFacts.Read().ProjectPath("Coordinator");

    public bool SuppressBuild => true;
}

/// <summary>The NodeAgent's project, likewise.</summary>
internal sealed class NodeAgentProject : IProjectMetadata
{
    public string ProjectPath => BuildFacts.Read().ProjectPath("NodeAgent");

    public bool SuppressBuild => true;
}
