using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Hardware.Power;
using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.NodeAgent.Telemetry;
using ClusterLlm.NodeAgent.Tests.Hardware;
using ClusterLlm.NodeAgent.Tests.Joining;
using ClusterLlm.NodeAgent.Tests.Shards;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Tests.Telemetry;

public sealed class TelemetrySamplerTests : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly ArmedTimeProvider _time = new();
    private readonly FakeHardwareReader _hardware = new();
    private readonly HostFixture _shards = new();
    private readonly MachineMonitor _machine;
    private readonly PowerMeter _power;
    private readonly TelemetrySampler _sampler;

    public TelemetrySamplerTests()
    {
        _machine = new MachineMonitor(_hardware, Options.Create(new NodeOptions { MemoryShare = 0.5 }), _time);
        _power = new PowerMeter(_shards.Host, Options.Create(new NodeOptions()), _time, NullLogger<PowerMeter>.Instance);
        _sampler = new TelemetrySampler(_machine, _power, _shards.Host, _time);
    }

    public async ValueTask DisposeAsync()
    {
        await _shards.DisposeAsync();
        _power.Dispose();
        _machine.Dispose();
    }

    [Theory]
    [InlineData(0, 1_000)]
    [InlineData(1, 100)]
    [InlineData(250, 250)]
    public void Interval_Asked_IsKeptWithinBounds(uint asked, double expected) =>
        Assert.Equal(expected, TelemetrySampler.Interval(asked).TotalMilliseconds);

    [Fact(Timeout = 20_000)]
    public async Task Watch_TwoWatchers_ShareTheReadingsOfTheMachine()
    {
        await using var first = _sampler.WatchAsync(Interval, TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        await using var second = _sampler.WatchAsync(Interval, TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        await first.MoveNextAsync();
        await second.MoveNextAsync();
        Assert.Equal(1, _hardware.Readings);

        var next = Task.WhenAll(first.MoveNextAsync().AsTask(), second.MoveNextAsync().AsTask());
        _time.Advance(Interval);
        await next;

        Assert.Equal(2, _hardware.Readings);
        Assert.Equal(new MemoryLimit(4_500, "Node:MemoryShare 0.5 of test"), second.Current.Machine.Usable);
        Assert.Equal(_time.GetUtcNow(), second.Current.Machine.TakenAt);
    }
}
