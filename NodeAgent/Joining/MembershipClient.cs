using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Rpc;
using ClusterLlm.NodeAgent.Settings;
using Grpc.Core;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Joining;

/// <summary>Calls the Coordinator's membership service; every call has a deadline.</summary>
internal sealed class MembershipClient(
    ICoordinatorLink link,
    Revocations revocations,
    NodeDescriber describer,
    EngineChanges engines,
    NodeIdentity identity,
    TimeProvider time)
{
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(5);

    /// <summary>Short, so that a Coordinator that is gone too does not hold up this agent's end.</summary>
    private static readonly TimeSpan LeaveLimit = TimeSpan.FromSeconds(2);

    /// <summary>Completes when this node has to be described again.</summary>
    public Task NextChange => engines.Next;

    public async Task<Lease> JoinAsync(CancellationToken cancellationToken)
    {
        var request = new Proto.JoinRequest
        {
            Node = await describer.DescribeAsync(cancellationToken).ConfigureAwait(false),
            InstanceId = identity.InstanceId,
        };
        var client = await ClientAsync(cancellationToken).ConfigureAwait(false);
        var response = await client.JoinAsync(request, Options(CallLimit, cancellationToken)).ConfigureAwait(false);
        revocations.Take(response.Revocations);
        return new Lease(response.ClusterId, response.LeaseId, Milliseconds(response.LeaseDurationMs), Interval(response.RenewIntervalMs));
    }

    /// <param name="sequence">Rises by one with each renewal of the lease.</param>
    public async Task<Lease> RenewAsync(Lease lease, ulong sequence, CancellationToken cancellationToken)
    {
        var request = new Proto.RenewLeaseRequest
        {
            NodeId = identity.Id,
            LeaseId = lease.Id,
            Sequence = sequence,
            RevocationVersion = revocations.Version,
        };
        var client = await ClientAsync(cancellationToken).ConfigureAwait(false);
        var response = await client.RenewLeaseAsync(request, Options(CallLimit, cancellationToken)).ConfigureAwait(false);
        revocations.Take(response.Revocations);
        return lease with { Duration = Milliseconds(response.LeaseDurationMs), RenewInterval = Interval(response.RenewIntervalMs) };
    }

    public async Task LeaveAsync(Lease lease, string reason)
    {
        var client = await ClientAsync(CancellationToken.None).ConfigureAwait(false);
        await client.LeaveAsync(
            new Proto.LeaveRequest { NodeId = identity.Id, LeaseId = lease.Id, Reason = reason },
            Options(LeaveLimit, CancellationToken.None)).ConfigureAwait(false);
    }

    /// <summary>The Coordinator said that it does not take this node's certificate.</summary>
    public void NoteRefused(string reason) => link.NoteRefused(reason);

    private async ValueTask<Proto.MembershipService.MembershipServiceClient> ClientAsync(CancellationToken cancellationToken) =>
        new(await link.OpenAsync(cancellationToken).ConfigureAwait(false));

    private CallOptions Options(TimeSpan limit, CancellationToken cancellationToken) =>
        new(deadline: time.GetUtcNow().UtcDateTime + limit, cancellationToken: cancellationToken);

    private static TimeSpan Milliseconds(uint value) => TimeSpan.FromMilliseconds(value);

    /// <summary>A Coordinator that asks for renewals without a pause would be flooded by its own nodes.</summary>
    private static TimeSpan Interval(uint milliseconds) => Milliseconds(Math.Max(milliseconds, 50));
}
