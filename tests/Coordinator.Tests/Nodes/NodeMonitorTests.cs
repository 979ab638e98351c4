using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.ServiceDefaults.Security;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace ClusterLlm.Coordinator.Tests.Nodes;

public sealed class NodeMonitorTests
{
    [Fact(Timeout = 20_000)]
    public async Task Monitor_SilentNode_IsLostAfterItsLease()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var time = new ArmedTimeProvider();
        var options = Microsoft.Extensions.Options.Options.Create(new NodesOptions());
        var registry = new NodeRegistry(options, time, NullLogger<NodeRegistry>.Instance);
        var facts = new NodeFacts("A", "h", "os", "", "c", 1, 0, 1, 1, "t", [], [new AddressFact("http://127.0.0.1:1", "loopback", "lo")], "0", "m");
        registry.Join("a", "one", facts, fromLoopback: true);
        using var channels = new NodeChannels(registry, new ClusterCredentials(time));
        Assert.NotNull(channels.Find("a"));
        Assert.Null(channels.Find("b"));
        using var monitor = new NodeMonitor(registry, channels, options, time);
        await monitor.StartAsync(cancelled);
        await time.Armed.WaitAsync(cancelled);

        using var subscription = registry.Subscribe();
        time.Advance(options.Value.LeaseDuration + options.Value.CheckInterval);
        await foreach (var nodes in subscription.AllAsync(cancelled))
        {
            if (nodes["a"].State == NodeState.Lost)
            {
                break;
            }
        }

        registry.Remove("a");
        Assert.Null(channels.Find("a"));
        await monitor.StopAsync(cancelled);
    }

    /// <summary>Tells when the loop has armed its timer: before that, advancing the clock fires nothing.</summary>
    private sealed class ArmedTimeProvider : FakeTimeProvider
    {
        private readonly TaskCompletionSource _armed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Armed => _armed.Task;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            _armed.TrySetResult();
            return timer;
        }
    }
}
