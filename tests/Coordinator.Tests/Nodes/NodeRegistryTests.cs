using ClusterLlm.Coordinator.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace ClusterLlm.Coordinator.Tests.Nodes;

public sealed class NodeRegistryTests
{
    private static readonly NodesOptions Options = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly NodeRegistry _registry;

    public NodeRegistryTests() =>
        _registry = new NodeRegistry(Microsoft.Extensions.Options.Options.Create(Options), _time, NullLogger<NodeRegistry>.Instance);

    private NodeSnapshot Node => _registry.Current["a"];

    [Fact]
    public void Join_ThenFirstReading_IsReady()
    {
        Assert.Equal(NodeState.Joining, Join()!.State);
        _registry.Report("a", "one", Reading());
        Assert.Equal(NodeState.Ready, Node.State);
    }

    [Fact]
    public void AssessAll_LeaseEndsWithoutRenewal_IsLostAndMustJoinAgain()
    {
        var node = Join()!;
        _registry.Report("a", "one", Reading());
        _time.Advance(Options.LeaseDuration);
        _registry.AssessAll();
        Assert.Equal(NodeState.Ready, Node.State);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        _registry.AssessAll();
        Assert.Equal(NodeState.Lost, Node.State);
        Assert.Contains("00:00:00", Node.StateReason, StringComparison.Ordinal);
        Assert.False(_registry.Renew("a", node.LeaseId, 1));
        Assert.Equal(NodeState.Ready, Join()!.State);
    }

    [Fact]
    public void Renew_InTime_KeepsTheNode()
    {
        var node = Join()!;
        _registry.Report("a", "one", Reading());
        for (var sequence = 1UL; sequence <= 5; sequence++)
        {
            _time.Advance(Options.RenewInterval * 2);
            Assert.True(_registry.Renew("a", node.LeaseId, sequence));
            _registry.AssessAll();
            Assert.Equal(NodeState.Ready, Node.State);
        }
    }

    [Fact]
    public void Renew_OldSequence_IsNoSignOfLife()
    {
        var node = Join()!;
        Assert.True(_registry.Renew("a", node.LeaseId, 5));
        var seen = Node.LastSeenAt;
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(_registry.Renew("a", node.LeaseId, 5));
        Assert.Equal(seen, Node.LastSeenAt);
    }

    [Fact]
    public void Renew_OtherLeaseOrUnknownNode_IsRefused()
    {
        Join();
        Assert.False(_registry.Renew("a", "not the lease", 1));
        Assert.False(_registry.Renew("b", "any", 1));
    }

    [Fact]
    public void Report_CountsAsSignOfLife()
    {
        Join();
        for (var second = 0; second < 20; second++)
        {
            _registry.Report("a", "one", Reading());
            _time.Advance(TimeSpan.FromSeconds(1));
            _registry.AssessAll();
        }

        Assert.Equal(NodeState.Ready, Node.State);
    }

    [Fact]
    public void ReportStreamDown_ForLongerThanItsGrace_IsLostThoughTheLeaseIsRenewed()
    {
        var node = Join()!;
        _registry.Report("a", "one", Reading());
        _registry.ReportStreamDown("a", "one");
        _time.Advance(Options.StreamGrace);
        _registry.Renew("a", node.LeaseId, 1);
        Assert.Equal(NodeState.Ready, Node.State);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        _registry.AssessAll();
        Assert.Equal(NodeState.Lost, Node.State);
        _registry.Report("a", "one", Reading());
        Assert.Equal(NodeState.Ready, Node.State);
    }

    [Fact]
    public void Join_SecondLivingAgentOnAnotherMachine_IsRefused()
    {
        Join();
        _registry.Report("a", "one", Reading());
        Assert.Null(_registry.Join("a", "two", Facts("http://127.0.0.1:1002", machine: "m2"), fromLoopback: true));
        Assert.Equal("one", Node.InstanceId);
        _time.Advance(Options.LeaseDuration + TimeSpan.FromSeconds(1));
        Assert.NotNull(_registry.Join("a", "two", Facts("http://127.0.0.1:1002", machine: "m2"), fromLoopback: true));
    }

    [Fact]
    public void Join_RestartAtTheSameAddress_ReplacesTheOldOneAtOnce()
    {
        Join();
        _registry.Report("a", "one", Reading());
        var again = _registry.Join("a", "two", Facts(), fromLoopback: true);
        Assert.Equal(("two", NodeState.Joining), (again!.InstanceId, again.State));
        _registry.Report("a", "one", Reading());
        Assert.Equal(NodeState.Joining, Node.State);
    }

    [Fact]
    public void SetDraining_SurvivesARestartOfTheAgent()
    {
        Join();
        _registry.Report("a", "one", Reading());
        Assert.Equal(NodeState.Draining, _registry.SetDraining("a", true)!.State);
        _registry.Join("a", "two", Facts(), fromLoopback: true);
        _registry.Report("a", "two", Reading());
        Assert.Equal(NodeState.Draining, Node.State);
        Assert.Equal(NodeState.Ready, _registry.SetDraining("a", false)!.State);
    }

    [Fact]
    public void Leave_WithItsLease_IsGoneAtOnce()
    {
        var node = Join()!;
        _registry.Leave("a", "another lease", "late message of an older process");
        Assert.Single(_registry.Current);
        _registry.Leave("a", node.LeaseId, "stopped");
        Assert.Empty(_registry.Current);
    }

    [Fact(Timeout = 20_000)]
    public async Task Subscribe_GetsTheStateOfNowAndThenTheNewest()
    {
        Join();
        using var subscription = _registry.Subscribe();
        Assert.Equal(NodeState.Joining, subscription.First["a"].State);
        _registry.Report("a", "one", Reading());
        await foreach (var nodes in subscription.ChangesAsync(TestContext.Current.CancellationToken))
        {
            Assert.Equal(NodeState.Ready, nodes["a"].State);
            break;
        }
    }

    private NodeSnapshot? Join() => _registry.Join("a", "one", Facts(), fromLoopback: true);

    private static NodeFacts Facts(string url = "http://127.0.0.1:1001", string machine = "m1") => new(
        "A", "host", "os", "", "chip", 4, 0, 1000, 800, "test", [], [new AddressFact(url, "loopback", "lo")], "0", machine);

    private static NodeReading Reading() =>
        new(DateTimeOffset.UnixEpoch, 1000, 800, 10, 0, 0, "normal", 0, null, "unknown", null, 0, 0, 0, 0, []);
}
