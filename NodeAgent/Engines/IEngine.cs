using ClusterLlm.ModelFiles;

namespace ClusterLlm.NodeAgent.Engines;

/// <summary>An inference engine that this agent can run shards on.</summary>
internal interface IEngine
{
    /// <summary><c>builtin</c>, <c>mlx</c> or <c>exo</c>.</summary>
    string Name { get; }

    /// <summary>Version, availability and device facts. Cheap enough to be asked at every join.</summary>
    ValueTask<EngineFacts> DescribeAsync(CancellationToken cancellationToken);

    /// <summary>Whether the engine can load <paramref name="model"/> at all; reads nothing but what the folder object already holds.</summary>
    EngineVerdict Supports(ModelFolder model);

    /// <summary>Phase one: checks that the shard could start here, and changes nothing.</summary>
    ValueTask<ShardCheck> CheckAsync(ShardSpec spec, ModelFolder model, CancellationToken cancellationToken);

    /// <summary>
    /// Phase two: loads the shard and connects it to its neighbours. Returns when it is ready; throws <see cref="ShardException"/> when it can't be.
    /// Cancelling frees everything that was loaded.
    /// </summary>
    Task<IShard> StartAsync(ShardSpec spec, ModelFolder model, IProgress<ShardProgress> progress, CancellationToken cancellationToken);
}

/// <summary>A loaded shard. Disposing ends its work and frees its memory before it returns.</summary>
internal interface IShard : IAsyncDisposable
{
    ShardSpec Spec { get; }

    /// <summary>Completes when the shard ends by itself; faults with <see cref="ShardException"/> that says why.</summary>
    Task Completion { get; }

    /// <summary>
    /// Answers one request; only on rank 0. The last event is <see cref="GenerationEvent.Finished"/>; anything else that ends the
    /// stream is a <see cref="GenerationException"/>. Cancelling ends the work on all stages.
    /// </summary>
    IAsyncEnumerable<GenerationEvent> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken);

    /// <summary>Readings for the telemetry stream. Never blocks.</summary>
    ShardReading Read();
}
