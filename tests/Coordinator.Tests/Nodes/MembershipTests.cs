using System.Net;
using ClusterLlm.Coordinator.Tests.Fakes;
using ClusterLlm.Protos.V1;
using Grpc.Core;

namespace ClusterLlm.Coordinator.Tests.Nodes;

public sealed class MembershipTests
{
    [Fact(Timeout = 120_000)]
    public async Task Join_BadDescription_NamesAllThatIsWrong()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        using var channel = host.Channel("a");
        var membership = new MembershipService.MembershipServiceClient(channel);
        var request = new JoinRequest { Node = new NodeDescription { NodeId = "a b", Addresses = { new NodeAddress { Url = "nowhere" } } } };

        var refused = await Assert.ThrowsAsync<RpcException>(async () => await membership.JoinAsync(request, cancellationToken: cancelled));

        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.Contains("'a b'", refused.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("instance_id", refused.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("'nowhere'", refused.Status.Detail, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Membership_JoinSecondAgentRenewLeave()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var node = await FakeNode.StartAsync("node-1", cancelled);
        await host.JoinAsync(cancelled, node);
        using var channel = host.Channel("node-1");
        var membership = new MembershipService.MembershipServiceClient(channel);

        var lease = await membership.JoinAsync(node.JoinRequest(), cancellationToken: cancelled);
        Assert.Equal((await host.GetAsync("/api/cluster", cancelled)).GetProperty("id").GetString(), lease.ClusterId);
        Assert.True(lease.RenewIntervalMs * 2 <= lease.LeaseDurationMs);

        await using var second = await FakeNode.StartAsync("node-1", cancelled);
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await membership.JoinAsync(second.JoinRequest(), cancellationToken: cancelled));
        Assert.Equal(StatusCode.AlreadyExists, refused.StatusCode);

        await membership.RenewLeaseAsync(new RenewLeaseRequest { NodeId = "node-1", LeaseId = lease.LeaseId, Sequence = 1 }, cancellationToken: cancelled);
        await membership.LeaveAsync(new LeaveRequest { NodeId = "node-1", LeaseId = lease.LeaseId, Reason = "test" }, cancellationToken: cancelled);
        Assert.Empty((await host.GetAsync("/api/nodes", cancelled)).EnumerateArray());
        var unknown = await Assert.ThrowsAsync<RpcException>(async () => await membership.RenewLeaseAsync(
            new RenewLeaseRequest { NodeId = "node-1", LeaseId = lease.LeaseId, Sequence = 2 }, cancellationToken: cancelled));
        Assert.Equal(StatusCode.NotFound, unknown.StatusCode);
    }

    [Fact(Timeout = 120_000)]
    public async Task Nodes_AreShownAsJoined_AndUnknownOnesAreAProblem()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var node = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama());
        await host.JoinAsync(cancelled, node);

        var shown = await host.GetAsync("/api/nodes/node-1", cancelled);
        Assert.Equal("Fake node-1", shown.GetProperty("name").GetString());
        Assert.Equal("ready", shown.GetProperty("state").GetString());
        Assert.Equal(1L << 30, shown.GetProperty("usableBytes").GetInt64());
        Assert.Equal(1L << 30, shown.GetProperty("freeBytes").GetInt64());
        Assert.Equal(10, shown.GetProperty("tokensPerSecond").GetDouble());
        Assert.Equal(node.Url, shown.GetProperty("addresses")[0].GetProperty("url").GetString());
        Assert.Equal("builtin", shown.GetProperty("engines")[0].GetProperty("name").GetString());

        var id = await host.DeployAsync(new { model = "tiny" }, cancelled);
        await host.WaitForStateAsync(id, "ready", cancelled);
        var after = await host.GetAsync("/api/nodes/node-1", cancelled);
        Assert.Equal((1L << 30) - after.GetProperty("committedBytes").GetInt64(), after.GetProperty("freeBytes").GetInt64());
        Assert.True(after.GetProperty("committedBytes").GetInt64() > 6_000_000);

        using var http = host.CreateClient();
        using var unknown = await http.GetAsync("/api/nodes/nodee-1", cancelled);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Assert.Contains("node-1", await unknown.Content.ReadAsStringAsync(cancelled), StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Drain_NodeWithAShard_MovesTheDeploymentAway()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var first = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama());
        await using var second = await FakeNode.StartAsync("node-2", cancelled, FakeModel.Llama());
        await host.JoinAsync(cancelled, first, second);
        var id = await host.DeployAsync(new { model = "tiny", nodes = new[] { "node-1", "node-2" } }, cancelled);
        await host.WaitForStateAsync(id, "ready", cancelled);

        using var drain = await host.PostAsync("/api/nodes/node-1/drain", new { }, cancelled);
        Assert.Equal(HttpStatusCode.OK, drain.StatusCode);
        var moved = await host.WaitAsync($"/api/deployments/{id}/events", "the deployment to move", state =>
            state.GetProperty("state").GetString() == "ready" && state.GetProperty("plan").GetProperty("stages").GetArrayLength() == 1, cancelled);

        Assert.Equal("node-2", moved.GetProperty("plan").GetProperty("stages")[0].GetProperty("node").GetString());
        Assert.Empty(first.Shards.States);
        Assert.Equal("draining", (await host.GetAsync("/api/nodes/node-1", cancelled)).GetProperty("state").GetString());
    }
}
