using System.Collections.Immutable;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Telemetry;

namespace ClusterLlm.NodeAgent.Shards;

/// <summary>The shards of this node, one generation per deployment. A failed one stays visible until it is replaced or stopped.</summary>
internal sealed class ShardHost(ShardRunner runner) : IHostedService
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, RunningShard> _shards = new(StringComparer.Ordinal);
    private readonly EndedGenerations _ended = new();
    private readonly ChangeFeed<ShardStatus> _changes = new();
    private bool _closed;

    /// <summary>Phase one: what stands against the shard here; changes nothing.</summary>
    public async ValueTask<ShardCheck> PrepareAsync(ShardSpec spec, CancellationToken cancellationToken)
    {
        long committed;
        string? refusal;
        lock (_gate)
        {
            refusal = Refusal_NeedsLock(spec);
            committed = Committed_NeedsLock(spec.DeploymentId);
        }

        return refusal is null
            ? await runner.CheckAsync(spec, committed, cancellationToken).ConfigureAwait(false)
            : new ShardCheck([new ShardProblem("generation", refusal)], 0, 0, 0);
    }

    /// <summary>Phase two: begins to load and returns. The generation that is here already is left alone; an older one is stopped first.</summary>
    /// <exception cref="ShardException">A newer generation is here, this one was stopped, or another shard has its generation.</exception>
    public void Start(ShardSpec spec)
    {
        lock (_gate)
        {
            if (Refusal_NeedsLock(spec) is { } refusal)
            {
                throw new ShardException(refusal);
            }

            var previous = Task.CompletedTask;
            if (_shards.TryGetValue(spec.DeploymentId, out var existing))
            {
                if (existing.Status.Spec.Generation == spec.Generation)
                {
                    return;
                }

                previous = BeginStop_NeedsLock(existing);
            }

            var shard = new RunningShard(spec);
            _shards[spec.DeploymentId] = shard;
            _changes.Publish(shard.Status);
            shard.Life = Task.Run(() => LiveAsync(shard, previous), CancellationToken.None);
        }
    }

    /// <summary>Ends a shard; returns when its memory is free.</summary>
    /// <param name="generation">This one and older ones; 0 is any.</param>
    /// <returns>False when nothing ran.</returns>
    public async Task<bool> StopAsync(string deploymentId, int generation, CancellationToken cancellationToken)
    {
        Task life;
        lock (_gate)
        {
            _ended.Add(deploymentId, generation);
            if (!_shards.TryGetValue(deploymentId, out var shard) || (generation != 0 && shard.Status.Spec.Generation > generation))
            {
                return false;
            }

            _ended.Add(deploymentId, shard.Status.Spec.Generation);
            if (shard.Status.HasEnded)
            {
                _shards.Remove(deploymentId);
                _changes.Publish(shard.Status with { Phase = ShardPhase.Stopped });
                return false;
            }

            life = BeginStop_NeedsLock(shard);
        }

        await life.WaitAsync(cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>All shards of now, and every change from now on.</summary>
    public (ImmutableArray<ShardStatus> Snapshot, IAsyncEnumerable<ShardStatus> Changes) Subscribe(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return ([.. _shards.Values.Select(shard => shard.Status)], _changes.Subscribe(cancellationToken));
        }
    }

    /// <summary>The shard that answers requests of a deployment.</summary>
    /// <exception cref="ShardException">There is none here, it is not ready, or it is not rank 0.</exception>
    public IShard FindServing(string deploymentId)
    {
        lock (_gate)
        {
            return _shards.TryGetValue(deploymentId, out var running) switch
            {
                false => throw new ShardException($"No shard of deployment '{deploymentId}' is on this node."),
                true when running!.Status.Spec.Rank != 0 => throw new ShardException(
                    $"This node holds rank {running.Status.Spec.Rank} of deployment '{deploymentId}': ask the node of rank 0."),
                true => running!.Shard ?? throw new ShardException(
                    $"The shard of deployment '{deploymentId}' is {running.Status.Phase}, not Ready. {running.Status.Reason}".TrimEnd()),
            };
        }
    }

    /// <summary>Readings of all loaded shards.</summary>
    public ImmutableArray<ShardSample> Sample()
    {
        ImmutableArray<IShard> loaded;
        lock (_gate)
        {
            loaded = [.. _shards.Values.Select(shard => shard.Shard).OfType<IShard>()];
        }

        return [.. loaded.Select(shard => new ShardSample(shard.Spec, shard.Read()))];
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The agent ends: every shard is ended and its memory freed.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        Task[] lives;
        lock (_gate)
        {
            _closed = true;
            lives = [.. _shards.Values.Select(BeginStop_NeedsLock)];
        }

        await Task.WhenAll(lives).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task LiveAsync(RunningShard shard, Task previous)
    {
        await previous.ConfigureAwait(false);
        var end = await runner.RunAsync(new ShardHandle(this, shard), shard.Stopping.Token).ConfigureAwait(false);
        lock (_gate)
        {
            shard.CommittedBytes = 0;
            shard.Status = shard.Status with { Phase = end.Phase, Reason = end.Reason };
            if (end.Phase == ShardPhase.Stopped && _shards.GetValueOrDefault(shard.Status.Spec.DeploymentId) == shard)
            {
                _shards.Remove(shard.Status.Spec.DeploymentId);
            }

            _changes.Publish(shard.Status);
            shard.Dispose();
        }
    }

    private Task BeginStop_NeedsLock(RunningShard shard)
    {
        if (shard.Status.HasEnded)
        {
            return Task.CompletedTask;
        }

        if (shard.Status.Phase != ShardPhase.Stopping)
        {
            Move_NeedsLock(shard, shard.Status with { Phase = ShardPhase.Stopping });
        }

        shard.Shard = null;

        // Cancelled elsewhere: what is registered on the token must not run under this lock.
        var cancelled = shard.Stopping.CancelAsync();
        return Task.WhenAll(cancelled, shard.Life);
    }

    private void Move_NeedsLock(RunningShard shard, ShardStatus status)
    {
        shard.Status = status;
        _changes.Publish(status);
    }

    private long Committed_NeedsLock(string exceptDeployment) =>
        _shards.Where(entry => entry.Key != exceptDeployment).Sum(entry => entry.Value.CommittedBytes);

    private string? Refusal_NeedsLock(ShardSpec spec)
    {
        if (_closed)
        {
            return "This agent is ending; it starts nothing any more.";
        }

        if (_ended.Of(spec.DeploymentId) >= spec.Generation)
        {
            return $"Generation {spec.Generation} of deployment '{spec.DeploymentId}' was stopped here: start a higher generation than "
                + $"{_ended.Of(spec.DeploymentId)}.";
        }

        if (!_shards.TryGetValue(spec.DeploymentId, out var shard))
        {
            return null;
        }

        var here = shard.Status.Spec;
        return here.Generation > spec.Generation
            ? $"Generation {here.Generation} of deployment '{spec.DeploymentId}' is here, which is newer than {spec.Generation}."
            : here.Generation == spec.Generation && !ShardSpecs.Same(here, spec)
                ? $"Generation {spec.Generation} of deployment '{spec.DeploymentId}' is here with other layers, ranks or limits: start a higher generation."
                : null;
    }

    /// <summary>What the runner may do to its shard's entry.</summary>
    internal sealed class ShardHandle(ShardHost host, RunningShard shard)
    {
        public ShardSpec Spec { get; } = shard.Status.Spec;

        /// <summary>Decides and promises in one step, so that two shards that load at once can't be promised the same memory.</summary>
        public ShardCheck Commit(Func<long, ShardCheck> decide)
        {
            lock (host._gate)
            {
                var check = decide(host.Committed_NeedsLock(Spec.DeploymentId));
                shard.CommittedBytes = check.Problems.IsEmpty ? check.NeededBytes() : 0;
                return check;
            }
        }

        /// <summary>Progress, and Ready with the loaded shard; without effect once the shard is stopping.</summary>
        public void Move(ShardStatus status, IShard? loaded)
        {
            lock (host._gate)
            {
                if (shard.Status.Phase is ShardPhase.Loading or ShardPhase.Connecting or ShardPhase.Ready && shard.Status != status)
                {
                    shard.Shard = loaded;
                    host.Move_NeedsLock(shard, status);
                }
            }
        }

        public ShardStatus Status
        {
            get
            {
                lock (host._gate)
                {
                    return shard.Status;
                }
            }
        }
    }
}
