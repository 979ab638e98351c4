using System.Collections.Immutable;
using ClusterLlm.Coordinator.Nodes;

namespace ClusterLlm.Coordinator.Tests.Nodes;

public sealed class NodeAddressesTests
{
    private static readonly ImmutableArray<AddressFact> Addresses =
    [
        new("http://127.0.0.1:7430", "loopback", "lo0"),
        new("http://192.168.1.5:7430", "wifi", "en0"),
        new("http://192.168.2.5:7430", "ethernet", "en1"),
        new("http://10.0.0.5:7430", "thunderbolt", "bridge0"),
    ];

    [Fact]
    public void InOrder_OnThisMachine_LoopbackFirstThenTheFastest() => Assert.Equal(
        ["http://127.0.0.1:7430", "http://10.0.0.5:7430", "http://192.168.2.5:7430", "http://192.168.1.5:7430"],
        NodeAddresses.InOrder(Node(fromLoopback: true)));

    [Fact]
    public void InOrder_OnAnotherMachine_NeverItsLoopback() =>
        Assert.DoesNotContain("http://127.0.0.1:7430", NodeAddresses.InOrder(Node(fromLoopback: false)));

    [Fact]
    public void ForNeighbours_SeveralMachines_IsNoLoopback()
    {
        Assert.Equal("http://127.0.0.1:7430", NodeAddresses.ForNeighbours(Node(fromLoopback: true), allOnOneMachine: true));
        Assert.Equal("http://10.0.0.5:7430", NodeAddresses.ForNeighbours(Node(fromLoopback: true), allOnOneMachine: false));
    }

    private static NodeSnapshot Node(bool fromLoopback) => new(
        "a",
        "one",
        "lease",
        new NodeFacts("A", "h", "os", "", "c", 1, 0, 1, 1, "t", [], Addresses, "0", "m"),
        NodeState.Ready,
        null,
        Draining: false,
        fromLoopback,
        DateTimeOffset.UnixEpoch,
        DateTimeOffset.UnixEpoch,
        0,
        NodeStreamState.Open,
        DateTimeOffset.UnixEpoch,
        null);
}
