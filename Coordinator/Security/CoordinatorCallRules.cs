using System.Collections.Immutable;
using ClusterLlm.ServiceDefaults.Security;

namespace ClusterLlm.Coordinator.Security;

/// <summary>Who may call what at the Coordinator's gRPC port.</summary>
internal static class CoordinatorCallRules
{
    public static CallRules Rules { get; } = new(
        ImmutableDictionary.CreateRange<string, PeerRoles>(
        [
            new("/clusterllm.v1.MembershipService", PeerRoles.Node),
            new("/clusterllm.v1.EnrollmentService/Renew", PeerRoles.Node),
            new("/grpc.health.v1.Health", PeerRoles.Any),
        ]),
        Open: ["/clusterllm.v1.EnrollmentService/GetAuthority", "/clusterllm.v1.EnrollmentService/Enroll"]);
}
