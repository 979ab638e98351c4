using System.Collections.Immutable;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Ring;

/// <summary>The ranks of this node that neighbours may be connected to.</summary>
internal sealed class TunnelTargets
{
    private readonly Lock _gate = new();
    private ImmutableDictionary<TunnelKey, TunnelTarget> _targets = ImmutableDictionary<TunnelKey, TunnelTarget>.Empty;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Makes a rank reachable until the result is disposed.</summary>
    public IDisposable Add(TunnelKey key, TunnelTarget target)
    {
        Change(targets => targets.SetItem(key, target));
        return new Registration(() => Change(targets => targets.GetValueOrDefault(key) == target ? targets.Remove(key) : targets));
    }

    /// <summary>The rank's target; waits for a rank that starts later than its neighbour.</summary>
    public async Task<TunnelTarget> WaitAsync(TunnelKey key, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_targets.TryGetValue(key, out var target))
                {
                    return target;
                }

                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void Change(Func<ImmutableDictionary<TunnelKey, TunnelTarget>, ImmutableDictionary<TunnelKey, TunnelTarget>> change)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            _targets = change(_targets);
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
    }

    private sealed class Registration(Action remove) : IDisposable
    {
        public void Dispose() => remove();
    }
}
