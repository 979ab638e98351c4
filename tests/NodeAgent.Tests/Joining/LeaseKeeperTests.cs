using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Hosting;
using ClusterLlm.NodeAgent.Joining;
using ClusterLlm.NodeAgent.Rpc;
using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.NodeAgent.Tests.Engines;
using ClusterLlm.NodeAgent.Tests.Hardware;
using ClusterLlm.ServiceDefaults.Security;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Tests.Joining;

public sealed class LeaseKeeperTests : IAsyncLifetime
{
    private readonly ArmedTimeProvider _time = new();
    private readonly FakeLogger<LeaseKeeper> _log = new();
    private readonly EngineChanges _engines = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("agent-credentials");
    private FakeCoordinator _coordinator = null!;
    private LeaseKeeper _keeper = null!;

    public async ValueTask InitializeAsync()
    {
        _coordinator = await FakeCoordinator.StartAsync(TestContext.Current.CancellationToken);
        var options = Options.Create(new NodeOptions { AdvertisedUrl = new Uri("https://127.0.0.1:7430") });
        var identity = new NodeIdentity("node-a", "Node A", "host", "instance");
        var hardware = new FakeHardwareReader();
        var endpoints = new AgentEndpoints();
        var describer = new NodeDescriber(
            identity, new MachineFactsCache(hardware, _time), new MachineMonitor(hardware, options, _time), new EngineRegistry([new FakeEngine()]), endpoints, options);
        var revocations = new Revocations(new ClusterCredentials(_time), new CredentialFolder(_folder.FullName));
        var client = new MembershipClient(new FakeLink(_coordinator.Connect()), revocations, describer, _engines, identity, _time);
        _keeper = new LeaseKeeper(client, endpoints, identity, new Lifetime(), _time, _log);
        endpoints.MarkListening();
    }

    public async ValueTask DisposeAsync()
    {
        _keeper.Dispose();
        await _coordinator.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact(Timeout = 20_000)]
    public async Task Engine_Changed_IsTakenToTheCoordinatorByANewJoin()
    {
        await _keeper.StartAsync(TestContext.Current.CancellationToken);
        await _coordinator.NextAsync<Proto.JoinRequest>(TestContext.Current.CancellationToken);

        _engines.Announce();
        var again = await _coordinator.NextAsync<Proto.JoinRequest>(TestContext.Current.CancellationToken);

        Assert.Equal("instance", again.InstanceId);
    }

    [Fact(Timeout = 20_000)]
    public async Task Lease_Kept_IsRenewedAtTheIntervalThatTheCoordinatorGives()
    {
        await _keeper.StartAsync(TestContext.Current.CancellationToken);

        var join = await _coordinator.NextAsync<Proto.JoinRequest>(TestContext.Current.CancellationToken);
        var first = await _time.PassNextAsync(TestContext.Current.CancellationToken);
        var renewal = await _coordinator.NextAsync<Proto.RenewLeaseRequest>(TestContext.Current.CancellationToken);
        var second = await _time.PassNextAsync(TestContext.Current.CancellationToken);
        var next = await _coordinator.NextAsync<Proto.RenewLeaseRequest>(TestContext.Current.CancellationToken);

        Assert.Equal(("node-a", "instance", "https://127.0.0.1:7430"), (join.Node.NodeId, join.InstanceId, join.Node.Addresses[0].Url));
        Assert.Equal((3, 2), (first.TotalSeconds, second.TotalSeconds));
        Assert.Equal(("node-a", "l", 1UL, 2UL), (renewal.NodeId, renewal.LeaseId, renewal.Sequence, next.Sequence));
    }

    [Fact(Timeout = 20_000)]
    public async Task Join_CoordinatorIsNotThereYet_IsTriedAgainWithGrowingPauses()
    {
        _coordinator.Failures.Enqueue(StatusCode.Unavailable);
        _coordinator.Failures.Enqueue(StatusCode.Unavailable);
        await _keeper.StartAsync(TestContext.Current.CancellationToken);

        await _coordinator.NextAsync<Proto.JoinRequest>(TestContext.Current.CancellationToken);
        var first = await _time.PassNextAsync(TestContext.Current.CancellationToken);
        await _coordinator.NextAsync<Proto.JoinRequest>(TestContext.Current.CancellationToken);
        var second = await _time.PassNextAsync(TestContext.Current.CancellationToken);
        await _coordinator.NextAsync<Proto.JoinRequest>(TestContext.Current.CancellationToken);

        Assert.InRange(first.TotalMilliseconds, 125, 250);
        Assert.InRange(second.TotalMilliseconds, 250, 500);
        Assert.Single(_log.Collector.GetSnapshot(), record => record.Level == LogLevel.Warning);
    }

    [Fact(Timeout = 20_000)]
    public async Task Renew_CoordinatorForgotTheNode_JoinsAgainAtOnce()
    {
        await _keeper.StartAsync(TestContext.Current.CancellationToken);
        await _coordinator.NextAsync<Proto.JoinRequest>(TestContext.Current.CancellationToken);
        _coordinator.Failures.Enqueue(StatusCode.NotFound);

        await _time.PassNextAsync(TestContext.Current.CancellationToken);
        await _coordinator.NextAsync<Proto.RenewLeaseRequest>(TestContext.Current.CancellationToken);

        await _coordinator.NextAsync<Proto.JoinRequest>(TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = 20_000)]
    public async Task Renew_ConnectionIsLost_JoinsAgainAfterAPause()
    {
        await _keeper.StartAsync(TestContext.Current.CancellationToken);
        await _coordinator.NextAsync<Proto.JoinRequest>(TestContext.Current.CancellationToken);
        _coordinator.Failures.Enqueue(StatusCode.Unavailable);

        await _time.PassNextAsync(TestContext.Current.CancellationToken);
        await _coordinator.NextAsync<Proto.RenewLeaseRequest>(TestContext.Current.CancellationToken);
        await _time.PassNextAsync(TestContext.Current.CancellationToken);

        await _coordinator.NextAsync<Proto.JoinRequest>(TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = 20_000)]
    public async Task Join_IdIsTaken_SaysWhichSettingHelps()
    {
        _coordinator.Failures.Enqueue(StatusCode.AlreadyExists);
        await _keeper.StartAsync(TestContext.Current.CancellationToken);

        await _coordinator.NextAsync<Proto.JoinRequest>(TestContext.Current.CancellationToken);
        await _time.PassNextAsync(TestContext.Current.CancellationToken);
        await _coordinator.NextAsync<Proto.JoinRequest>(TestContext.Current.CancellationToken);

        Assert.Contains(
            _log.Collector.GetSnapshot(),
            record => record.Level == LogLevel.Error && record.Message.Contains("node-a", StringComparison.Ordinal) && record.Message.Contains("Node:Id", StringComparison.Ordinal));
    }

    [Fact(Timeout = 20_000)]
    public async Task Stop_Joined_Leaves()
    {
        await _keeper.StartAsync(TestContext.Current.CancellationToken);
        await _coordinator.NextAsync<Proto.JoinRequest>(TestContext.Current.CancellationToken);
        await _time.PassNextAsync(TestContext.Current.CancellationToken);
        await _coordinator.NextAsync<Proto.RenewLeaseRequest>(TestContext.Current.CancellationToken);

        await _keeper.StopAsync(TestContext.Current.CancellationToken);

        Assert.Equal("l", (await _coordinator.NextAsync<Proto.LeaveRequest>(TestContext.Current.CancellationToken)).LeaseId);
    }

    private sealed class Lifetime : IHostApplicationLifetime
    {
        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => CancellationToken.None;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication()
        {
        }
    }
}
