using ClusterLlm.NodeAgent.Engines;

namespace ClusterLlm.NodeAgent.Shards;

/// <summary>What the host keeps of one generation of a deployment; everything that changes is guarded by the host's lock.</summary>
internal sealed class RunningShard(ShardSpec spec) : IDisposable
{
    public ShardStatus Status { get; set; } = new(spec, ShardPhase.Loading, 0, 0, "");

    /// <summary>Memory that it has been promised; 0 before its check and after its end.</summary>
    public long CommittedBytes { get; set; }

    /// <summary>Set while it is loaded.</summary>
    public IShard? Shard { get; set; }

    /// <summary>Its whole life; completes, without a fault, when its memory is free.</summary>
    public Task Life { get; set; } = Task.CompletedTask;

    public CancellationTokenSource Stopping { get; } = new();

    public void Dispose() => Stopping.Dispose();
}
