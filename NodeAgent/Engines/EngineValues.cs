using System.Collections.Immutable;

namespace ClusterLlm.NodeAgent.Engines;

/// <summary>What an engine says of itself.</summary>
/// <param name="UnavailableReason">One sentence; <see langword="null"/> when the engine can be used.</param>
/// <param name="ModelTypes">config.json <c>model_type</c> values that it loads.</param>
/// <param name="Properties">Versions of parts and device facts: shown to people, not interpreted.</param>
internal sealed record EngineFacts(
    string Version,
    string? UnavailableReason,
    ImmutableArray<string> ModelTypes,
    ImmutableDictionary<string, string> Properties)
{
    /// <summary>The property of an engine that is slower than it could be, on purpose: says by what.</summary>
    public const string ArtificialProperty = "artificial limits";
}

/// <summary>Whether a model can be loaded, and why not.</summary>
/// <param name="Reason"><see langword="null"/> when it can be loaded.</param>
internal sealed record EngineVerdict(string? Reason)
{
    public static EngineVerdict Supported { get; } = new((string?)null);

    public bool IsSupported => Reason is null;
}

/// <summary>One node's part of a deployment: layers [<paramref name="FirstLayer"/>, <paramref name="FirstLayer"/> + <paramref name="LayerCount"/>).</summary>
/// <param name="Generation">Rises with each start of the same deployment; messages of older ones are refused.</param>
/// <param name="Model">A folder as this node sees it, or a model id of its inventory.</param>
/// <param name="ModelFingerprint">The fingerprint that the plan was made for; empty skips the check.</param>
/// <param name="Rank">0 is the last stage: it samples. <see cref="WorldSize"/> − 1 is the first one.</param>
/// <param name="ContextTokens">Longest sequence, prompt and answer together.</param>
/// <param name="MaxConcurrency">Sequences that decode together; further requests queue.</param>
/// <param name="Ranks">All ranks, index = rank.</param>
/// <param name="MicroBatches">Steps in flight at once over the stages; ≥ 1.</param>
/// <param name="PrefillChunkTokens">0 is the engine's default.</param>
/// <param name="MemoryLimitBytes">The plan's limit for weights, KV cache and workspace together; 0 is no limit.</param>
internal sealed record ShardSpec(
    string DeploymentId,
    int Generation,
    string Engine,
    string Model,
    string ModelFingerprint,
    int Rank,
    int FirstLayer,
    int LayerCount,
    int ContextTokens,
    int MaxConcurrency,
    ImmutableArray<ShardRank> Ranks,
    int MicroBatches,
    int PrefillChunkTokens,
    long MemoryLimitBytes)
{
    public int WorldSize => Ranks.Length;

    public int EndLayer => FirstLayer + LayerCount;

    public bool IsFirstStage => Rank == WorldSize - 1;

    public bool IsLastStage => Rank == 0;
}

/// <summary>Where a rank of the deployment is reached.</summary>
/// <param name="Url">The gRPC address of its agent.</param>
internal sealed record ShardRank(string NodeId, Uri Url);

/// <summary>The answer of phase one.</summary>
/// <param name="Problems">Empty when the shard could start.</param>
internal sealed record ShardCheck(
    ImmutableArray<ShardProblem> Problems,
    long WeightBytes,
    long KvCacheBytes,
    long WorkspaceBytes);

/// <summary>One reason why a shard can't run here.</summary>
/// <param name="Constraint">For example <c>memory</c>, <c>layers</c>, <c>model</c>, <c>engine</c>.</param>
/// <param name="Needed">In the constraint's unit (bytes, layers, tokens); 0 where there is none.</param>
internal sealed record ShardProblem(string Constraint, string Message, long Needed = 0, long Available = 0);

/// <summary>How far loading is.</summary>
/// <param name="WaitingForNeighbours">Loaded, and connecting to the other ranks.</param>
internal sealed record ShardProgress(long LoadedBytes, long TotalBytes, bool WaitingForNeighbours);

/// <summary>Readings of a shard at a moment.</summary>
/// <param name="DecodeTokensPerSecond">Over the last 10 s, all requests together; 0 when idle.</param>
/// <param name="StageStep">Median compute time of this stage for one decode step over the last 10 s.</param>
internal sealed record ShardReading(
    long MemoryBytes,
    long KvTokensUsed,
    long KvTokensCapacity,
    int RunningRequests,
    int QueuedRequests,
    double DecodeTokensPerSecond,
    double PrefillTokensPerSecond,
    TimeSpan StageStep);

/// <summary>A shard that can't start or that ended by itself; the message says what, which, the value and what to do.</summary>
internal sealed class ShardException : Exception
{
    public ShardException(string message)
        : base(message)
    {
    }

    public ShardException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
