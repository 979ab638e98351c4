using Google.Protobuf;
using Grpc.Core;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Tests.Rpc;

public sealed class NodeServiceTests(AgentFactory agent) : IClassFixture<AgentFactory>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Describe_Node_TellsMachineAndEngines()
    {
        using var channel = agent.Channel();

        var node = await new Proto.NodeService.NodeServiceClient(channel).DescribeAsync(new(), cancellationToken: Cancellation);

        Assert.Equal(
            ("node-a", "Node A", "TestOS 1", "Test Chip", 10_000UL, 9_000UL, "test", "machine-a"),
            (node.NodeId, node.DisplayName, node.OperatingSystem, node.Chip, node.MemoryTotalBytes, node.MemoryUsableBytes, node.MemoryUsableSource, node.MachineId));
        Assert.Equal(Proto.LinkKind.Loopback, Assert.Single(node.Addresses).Kind);
        var engine = node.Engines.Single(engine => engine.Name == "fake");
        Assert.True(engine.Available);
        Assert.Equal("none", engine.Properties["simd"]);
    }

    [Fact]
    public async Task WatchTelemetry_FirstReading_ComesAtOnceAndTheStreamEndsWithTheCaller()
    {
        using var channel = agent.Channel();
        using var caller = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        using var call = new Proto.NodeService.NodeServiceClient(channel).WatchTelemetry(new() { IntervalMs = 60_000 }, cancellationToken: caller.Token);

        Assert.True(await call.ResponseStream.MoveNext(caller.Token));
        var reading = call.ResponseStream.Current;
        await caller.CancelAsync();

        Assert.Equal(
            ("node-a", 2_000UL, 0.25, 51.5, Proto.ThermalState.Fair, Proto.MemoryPressure.Normal),
            (reading.NodeId, reading.MemoryUsedBytes, reading.CpuLoad, reading.TemperatureCelsius, reading.ThermalState, reading.MemoryPressure));
        Assert.True(reading.AgentResidentBytes > 0);
        var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(StatusCode.Cancelled, error.StatusCode);
    }

    [Fact]
    public async Task Echo_UpToOneMebiByte_ComesBack()
    {
        using var channel = agent.Channel();
        var client = new Proto.NodeService.NodeServiceClient(channel);
        var payload = ByteString.CopyFrom(new byte[1024 * 1024]);

        var response = await client.EchoAsync(new() { Payload = payload }, cancellationToken: Cancellation);
        var error = await Assert.ThrowsAsync<RpcException>(
            () => client.EchoAsync(new() { Payload = ByteString.CopyFrom(new byte[(1024 * 1024) + 1]) }, cancellationToken: Cancellation).ResponseAsync);

        Assert.Equal(payload, response.Payload);
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
    }
}
