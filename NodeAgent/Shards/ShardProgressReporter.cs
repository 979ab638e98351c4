using ClusterLlm.NodeAgent.Engines;

namespace ClusterLlm.NodeAgent.Shards;

/// <summary>Passes on an engine's load progress: every change of phase, and at most a hundred steps of bytes, so that watchers aren't flooded.</summary>
internal sealed class ShardProgressReporter(ShardHost.ShardHandle handle) : IProgress<ShardProgress>
{
    private const int Steps = 100;

    private readonly Lock _gate = new();
    private long _reportedStep = -1;

    public void Report(ShardProgress value)
    {
        lock (_gate)
        {
            var step = value.TotalBytes <= 0 ? 0 : (long)((double)value.LoadedBytes / value.TotalBytes * Steps);
            if (step == _reportedStep && !value.WaitingForNeighbours)
            {
                return;
            }

            _reportedStep = step;
        }

        var phase = value.WaitingForNeighbours ? ShardPhase.Connecting : ShardPhase.Loading;
        handle.Move(handle.Status with { Phase = phase, LoadedBytes = value.LoadedBytes, TotalBytes = value.TotalBytes }, loaded: null);
    }
}
