using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.ModelStore;
using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.NodeAgent.Shards;
using ClusterLlm.NodeAgent.Tests.Engines;
using ClusterLlm.NodeAgent.Tests.Hardware;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Tests.Shards;

/// <summary>A shard host with a fake engine on a fake machine.</summary>
internal sealed class HostFixture : IAsyncDisposable
{
    private readonly MachineMonitor _machine;
    private readonly CancellationTokenSource _end = new();

    public HostFixture()
    {
        var options = Options.Create(new NodeOptions());
        _machine = new MachineMonitor(Hardware, options, TimeProvider.System);
        Host = new ShardHost(new ShardRunner(new ModelCatalog(options), new EngineRegistry([Engine]), _machine, Log));
    }

    public FakeEngine Engine { get; } = new();

    public FakeHardwareReader Hardware { get; } = new();

    public FakeLogger<ShardRunner> Log { get; } = new();

    public ShardHost Host { get; }

    /// <summary>Begins to watch; the list grows as the host changes.</summary>
    public ShardWatch Watch() => new(Host, _end.Token);

    public async ValueTask DisposeAsync()
    {
        Engine.Loaded.TrySetResult();
        Engine.Freed.TrySetResult();
        await Host.StopAsync(TestContext.Current.CancellationToken);
        await _end.CancelAsync();
        _machine.Dispose();
        _end.Dispose();
    }
}

/// <summary>What a subscriber sees.</summary>
internal sealed class ShardWatch
{
    private readonly IAsyncEnumerator<ShardStatus> _changes;
    private readonly List<ShardStatus> _seen;

    public ShardWatch(ShardHost host, CancellationToken cancellationToken)
    {
        var (snapshot, changes) = host.Subscribe(cancellationToken);
        _seen = [.. snapshot];
        _changes = changes.GetAsyncEnumerator(cancellationToken);
    }

    public IReadOnlyList<ShardStatus> Seen => _seen;

    /// <summary>Phases of a generation so far, repeats left out.</summary>
    public IEnumerable<ShardPhase> Phases(int generation)
    {
        ShardPhase? last = null;
        foreach (var phase in _seen.Where(status => status.Spec.Generation == generation).Select(status => status.Phase))
        {
            if (phase != last)
            {
                yield return phase;
            }

            last = phase;
        }
    }

    public async Task<ShardStatus> UntilAsync(ShardPhase phase, int generation = 1)
    {
        while (_seen.LastOrDefault(status => status.Spec.Generation == generation) is not { } last || last.Phase != phase)
        {
            Assert.True(await _changes.MoveNextAsync(), $"The feed ended while waiting for {phase}; seen: {string.Join(", ", _seen)}");
            _seen.Add(_changes.Current);
        }

        return _seen.Last(status => status.Spec.Generation == generation);
    }
}
