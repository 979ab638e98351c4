using ClusterLlm.Coordinator.Hosting;
using ClusterLlm.Coordinator.Security;
using ClusterLlm.Protos.V1;
using ClusterLlm.ServiceDefaults.Security;
using Grpc.Core;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Nodes;

/// <summary>How agents join, stay and leave.</summary>
internal sealed class MembershipGrpcService(NodeRegistry registry, ClusterIdentity identity, SecurityState security, IOptions<NodesOptions> options)
    : MembershipService.MembershipServiceBase
{
    public override Task<JoinResponse> Join(JoinRequest request, ServerCallContext context)
    {
        if (JoinRequestCheck.Problems(request) is { IsEmpty: false } problems)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, string.Join(' ', problems)));
        }

        var node = request.Node;
        context.RequireNode(node.NodeId);
        var joined = registry.Join(node.NodeId, request.InstanceId, node.ToFacts(), IsLoopback(context.Peer)) ?? throw new RpcException(new Status(
            StatusCode.AlreadyExists,
            $"Another living agent holds the node id '{node.NodeId}'. Give this agent another id, or stop the other one."));
        return Task.FromResult(new JoinResponse
        {
            ClusterId = identity.ClusterId,
            LeaseId = joined.LeaseId,
            LeaseDurationMs = (uint)options.Value.LeaseDuration.TotalMilliseconds,
            RenewIntervalMs = (uint)options.Value.RenewInterval.TotalMilliseconds,
            Revocations = List(security.Revoked),
        });
    }

    public override Task<RenewLeaseResponse> RenewLease(RenewLeaseRequest request, ServerCallContext context)
    {
        context.RequireNode(request.NodeId);
        if (!registry.Renew(request.NodeId, request.LeaseId, request.Sequence))
        {
            throw new RpcException(new Status(StatusCode.NotFound, $"Node '{request.NodeId}' has no such lease here: join again."));
        }

        return Task.FromResult(new RenewLeaseResponse
        {
            LeaseDurationMs = (uint)options.Value.LeaseDuration.TotalMilliseconds,
            RenewIntervalMs = (uint)options.Value.RenewInterval.TotalMilliseconds,
            Revocations = security.Revoked is var revoked && revoked.Version != request.RevocationVersion ? List(revoked) : null,
        });
    }

    public override Task<LeaveResponse> Leave(LeaveRequest request, ServerCallContext context)
    {
        context.RequireNode(request.NodeId);
        registry.Leave(request.NodeId, request.LeaseId, request.Reason);
        return Task.FromResult(new LeaveResponse());
    }

    private static RevocationList List(RevokedCertificates revoked) => new() { Version = revoked.Version, Serials = { revoked.Serials.Order(StringComparer.Ordinal) } };

    // "ipv4:127.0.0.1:50123", "ipv6:[::1]:50123", "unix:…", or "unknown:0" in process: only another machine's address is not loopback.
    private static bool IsLoopback(string peer) =>
        !(peer.StartsWith("ipv", StringComparison.Ordinal)
            && System.Net.IPEndPoint.TryParse(peer[(peer.IndexOf(':', StringComparison.Ordinal) + 1)..], out var endpoint)
            && !System.Net.IPAddress.IsLoopback(endpoint.Address.IsIPv4MappedToIPv6 ? endpoint.Address.MapToIPv4() : endpoint.Address));
}
