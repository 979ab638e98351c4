using Grpc.Core;

namespace ClusterLlm.ServiceDefaults.Security;

/// <summary>The caller of a gRPC call.</summary>
public static class PeerContext
{
    /// <summary>Who calls, as the gate found.</summary>
    /// <exception cref="RpcException">The call did not come through the gate with a certificate.</exception>
    public static PeerIdentity Caller(this ServerCallContext context) =>
        context.GetHttpContext().Features.Get<PeerIdentity>() ?? throw new RpcException(new Status(StatusCode.Unauthenticated, "The call came without a certificate."));

    /// <summary>Refuses a call that speaks for another node than the one that makes it.</summary>
    /// <exception cref="RpcException">The caller is not <paramref name="nodeId"/>.</exception>
    public static void RequireNode(this ServerCallContext context, string nodeId)
    {
        if (context.Caller() is var caller && (caller.Role != PeerRoles.Node || caller.NodeId != nodeId))
        {
            throw new RpcException(new Status(StatusCode.PermissionDenied, $"The call speaks for node {nodeId}, but its certificate is that of {caller}."));
        }
    }
}
