namespace ClusterLlm.NodeAgent.Engines;

/// <summary>Says that an engine describes itself differently than before, for example because its installation is ready: the cluster must hear of it.</summary>
internal sealed class EngineChanges
{
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes at the next change. Take it before describing: then no change falls between.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    public void Announce() => Interlocked.Exchange(ref _next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
}
