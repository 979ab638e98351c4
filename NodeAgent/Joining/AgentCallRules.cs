using System.Collections.Immutable;
using ClusterLlm.ServiceDefaults.Security;

namespace ClusterLlm.NodeAgent.Joining;

/// <summary>Who may call what on an agent: the Coordinator everything that runs models, neighbours only what carries a deployment's bytes or compares two nodes.</summary>
internal static class AgentCallRules
{
    public static CallRules Rules { get; } = new(
        ImmutableDictionary.CreateRange<string, PeerRoles>(
        [
            new("/clusterllm.v1.NodeService/Describe", PeerRoles.Any),
            new("/clusterllm.v1.NodeService/Echo", PeerRoles.Any),
            new("/clusterllm.v1.NodeService/WatchTelemetry", PeerRoles.Coordinator),
            new("/clusterllm.v1.NodeService/ProbeLink", PeerRoles.Coordinator),
            new("/clusterllm.v1.ModelService", PeerRoles.Coordinator),
            new("/clusterllm.v1.ShardService", PeerRoles.Coordinator),
            new("/clusterllm.v1.InferenceService", PeerRoles.Coordinator),
            new("/clusterllm.v1.StageService", PeerRoles.Node),
            new("/clusterllm.v1.TunnelService", PeerRoles.Node),
            new("/grpc.health.v1.Health", PeerRoles.Any),
        ]),
        Open: []);
}
