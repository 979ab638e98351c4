namespace ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;

/// <summary>A shard as its neighbours see it: where their work arrives, and how it ends.</summary>
internal interface IStageEndpoint
{
    ShardSpec Spec { get; }

    /// <summary>Completes when the shard ends; faults with the reason.</summary>
    Task Completion { get; }

    /// <summary>The neighbour before this stage has connected.</summary>
    void Connected();

    /// <summary>Takes work in order; waits while the stage is behind.</summary>
    ValueTask AcceptAsync(StageWork work, CancellationToken cancellationToken);

    /// <summary>The stream of the neighbour before this stage is gone.</summary>
    void Disconnected(string reason);
}

/// <summary>The way to the next stage.</summary>
internal interface IStageLink : IAsyncDisposable
{
    /// <summary>Ends when the neighbour is gone or says that it failed: faults with a <see cref="ShardException"/> that names the rank.</summary>
    Task Completion { get; }

    /// <summary>Sends in order. One call at a time.</summary>
    /// <exception cref="ShardException">The neighbour is gone.</exception>
    ValueTask SendAsync(StageWork work, CancellationToken cancellationToken);
}

/// <summary>Connects stages.</summary>
internal interface IStageConnector
{
    /// <summary>Connects to the stage that gets this one's output, as soon as it is there.</summary>
    /// <exception cref="ShardException">It did not answer within <paramref name="timeout"/>, or refused; names its rank and address.</exception>
    Task<IStageLink> ConnectAsync(ShardSpec spec, TimeSpan timeout, CancellationToken cancellationToken);
}

/// <summary>Which rank sends to which: token ids from rank 0 to the first stage, then activations down to rank 0.</summary>
internal static class StageRing
{
    public static int Next(ShardSpec spec) => spec.Rank == 0 ? spec.WorldSize - 1 : spec.Rank - 1;

    public static int Previous(ShardSpec spec) => spec.Rank == spec.WorldSize - 1 ? 0 : spec.Rank + 1;

    /// <summary>For messages: <c>Rank 1 (node-b, http://10.0.0.2:7430/)</c>.</summary>
    public static string Describe(ShardSpec spec, int rank) => $"Rank {rank} ({spec.Ranks[rank].NodeId}, {spec.Ranks[rank].Url})";
}
