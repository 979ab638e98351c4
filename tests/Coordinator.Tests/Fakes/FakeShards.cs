using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Tests.Fakes;

/// <summary>The shards of a fake node: they become ready at once unless a test holds or fails them.</summary>
internal sealed class FakeShards
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ShardState> _states = new(StringComparer.Ordinal);
    private readonly List<ChannelWriter<ShardEvent>> _watchers = [];
    private readonly Dictionary<string, TaskCompletionSource> _stopped = new(StringComparer.Ordinal);
    private readonly List<string> _calls = [];
    private readonly Channel<ShardSpec> _started = Channel.CreateUnbounded<ShardSpec>();

    /// <summary>Shards stay at half their bytes instead of becoming ready.</summary>
    public bool HoldLoading { get; set; }

    /// <summary>What <c>PrepareShard</c> answers instead of ok.</summary>
    public ShardProblem? Refusal { get; set; }

    /// <summary>Shards fail at loading with this reason.</summary>
    public string? LoadFailure { get; set; }

    /// <summary>Calls in order: <c>prepare</c>, <c>start</c> or <c>stop</c>, and the generation.</summary>
    public ImmutableArray<string> Calls
    {
        get
        {
            lock (_gate)
            {
                return [.. _calls];
            }
        }
    }

    public ImmutableArray<ShardState> States
    {
        get
        {
            lock (_gate)
            {
                return [.. _states.Values];
            }
        }
    }

    /// <summary>The next spec that was started.</summary>
    public ValueTask<ShardSpec> NextStartAsync(CancellationToken cancellationToken) => _started.Reader.ReadAsync(cancellationToken);

    /// <summary>Completes when the shard of a deployment was stopped.</summary>
    public Task StoppedAsync(string deploymentId)
    {
        lock (_gate)
        {
            return Stopped_NeedsLock(deploymentId).Task;
        }
    }

    public PrepareShardResponse Prepare(ShardSpec spec)
    {
        lock (_gate)
        {
            _calls.Add($"prepare {spec.Generation}");
        }

        return Refusal is null ? new PrepareShardResponse { Ok = true } : new PrepareShardResponse { Ok = false, Problems = { Refusal } };
    }

    public void Start(ShardSpec spec)
    {
        lock (_gate)
        {
            _calls.Add($"start {spec.Generation}");
            if (_states.TryGetValue(spec.DeploymentId, out var running) && running.Generation == spec.Generation)
            {
                return;
            }

            var phase = LoadFailure is not null ? ShardPhase.Failed : HoldLoading ? ShardPhase.Loading : ShardPhase.Ready;
            Set_NeedsLock(new ShardState
            {
                DeploymentId = spec.DeploymentId,
                Generation = spec.Generation,
                Rank = spec.Rank,
                Phase = phase,
                LoadedBytes = phase == ShardPhase.Ready ? 100u : 50u,
                TotalBytes = 100,
                Reason = LoadFailure ?? "",
                Engine = spec.Engine,
                FirstLayer = spec.FirstLayer,
                LayerCount = spec.LayerCount,
                Model = spec.Model,
            });
        }

        _started.Writer.TryWrite(spec);
    }

    public bool Stop(string deploymentId, uint generation)
    {
        lock (_gate)
        {
            _calls.Add($"stop {generation}");
            if (!_states.TryGetValue(deploymentId, out var state) || (generation != 0 && state.Generation > generation))
            {
                return false;
            }

            var stopped = state.Clone();
            stopped.Phase = ShardPhase.Stopped;
            Set_NeedsLock(stopped);
            _states.Remove(deploymentId);
            Stopped_NeedsLock(deploymentId).TrySetResult();
            return true;
        }
    }

    /// <summary>Changes the shard of a deployment, as if by itself.</summary>
    public void Become(string deploymentId, ShardPhase phase, string reason = "")
    {
        lock (_gate)
        {
            var state = _states[deploymentId].Clone();
            state.Phase = phase;
            state.Reason = reason;
            state.LoadedBytes = phase == ShardPhase.Ready ? state.TotalBytes : state.LoadedBytes;
            Set_NeedsLock(state);
        }
    }

    /// <summary>Puts a shard there that nobody of this test asked for.</summary>
    public void Plant(ShardState state)
    {
        lock (_gate)
        {
            Set_NeedsLock(state);
        }
    }

    public async IAsyncEnumerable<ShardEvent> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var channel = Channel.CreateUnbounded<ShardEvent>();
        lock (_gate)
        {
            foreach (var state in _states.Values)
            {
                channel.Writer.TryWrite(new ShardEvent { State = state.Clone() });
            }

            channel.Writer.TryWrite(new ShardEvent { SnapshotEnd = new SnapshotEnd() });
            _watchers.Add(channel.Writer);
        }

        await foreach (var message in channel.Reader.ReadAllAsync(cancellationToken))
        {
            yield return message;
        }
    }

    private TaskCompletionSource Stopped_NeedsLock(string deploymentId)
    {
        if (!_stopped.TryGetValue(deploymentId, out var stopped))
        {
            _stopped[deploymentId] = stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return stopped;
    }

    private void Set_NeedsLock(ShardState state)
    {
        _states[state.DeploymentId] = state;
        foreach (var watcher in _watchers)
        {
            watcher.TryWrite(new ShardEvent { State = state.Clone() });
        }
    }
}
