using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Coordinator.Placement;

/// <summary>The cluster as the planner sees it at one moment.</summary>
internal sealed record ClusterSnapshot(ImmutableArray<NodeCapacity> Nodes, ImmutableArray<LinkMeasurement> Links)
{
    /// <summary>What is known of chips, engines and links; without it plans are balanced by memory and carry no predictions.</summary>
    public PlanningKnowledge? Knowledge { get; init; }
}

/// <summary>A node that could hold a shard.</summary>
/// <param name="MachineId">Equal for agents of one machine: they share its bandwidth.</param>
/// <param name="Chip">For example <c>Apple M4 Pro</c>; empty when unknown.</param>
/// <param name="MemoryUsableBytes">What engines may use at most on this node.</param>
/// <param name="MemoryCommittedBytes">Promised to other deployments already.</param>
/// <param name="Engines">Engines that are available on it.</param>
/// <param name="Excluded">Why the node takes no new shards (draining, lost, without the model's files); <see langword="null"/> when it does.</param>
internal sealed record NodeCapacity(
    string NodeId,
    string MachineId,
    string Chip,
    int GpuCores,
    int CpuCores,
    long MemoryTotalBytes,
    long MemoryUsableBytes,
    long MemoryCommittedBytes,
    ImmutableArray<string> Engines,
    string? Excluded)
{
    /// <summary>What was measured on this node with its engines; empty when it was never calibrated.</summary>
    public ImmutableArray<EngineCalibration> Calibrations { get; init; } = [];

    /// <summary>The kind of link that it hangs on, for example <c>thunderbolt5</c>; <see langword="null"/> when the request's holds.</summary>
    public string? Link { get; init; }

    /// <summary>How the usable memory is known, when it is not the node's own reading; <see langword="null"/> when it is.</summary>
    public string? MemoryAssumption { get; init; }
}

/// <summary>A link between two nodes, as measured between their agents.</summary>
internal sealed record LinkMeasurement(string FromNodeId, string ToNodeId, TimeSpan RoundTrip, double BandwidthBytesPerSecond);

/// <summary>What a plan shall be good for.</summary>
internal enum PlacementObjective
{
    /// <summary>One request as fast as possible.</summary>
    Latency,

    /// <summary>Most tokens per second over all requests at the asked concurrency.</summary>
    Throughput,

    /// <summary>The longest context; among plans with the same context the one on the fewest nodes.</summary>
    Capacity,

    /// <summary>Every candidate node gets layers in proportion to the memory that it may use.</summary>
    Balanced,
}

/// <summary>What is asked of the planner.</summary>
/// <param name="ContextTokens">Longest sequence, prompt and answer together; ≥ 1 and at most the model's.</param>
/// <param name="Concurrency">Sequences at once; ≥ 1.</param>
/// <param name="Engine"><c>auto</c> or an engine's name.</param>
/// <param name="Nodes">Only these nodes; empty means any.</param>
/// <param name="Layers">A manual plan: stages in order, half-open layer ranges; empty means that the planner cuts.</param>
internal sealed record PlacementRequest(
    PlacementObjective Objective,
    int ContextTokens,
    int Concurrency,
    string Engine,
    ImmutableArray<string> Nodes,
    ImmutableArray<ManualStage> Layers)
{
    /// <summary>
    /// Every node of <see cref="Nodes"/> gets at least one layer. Without it the planner may leave nodes out when that serves the objective.
    /// A caller that names nodes but no objective means this, with <see cref="PlacementObjective.Balanced"/>.
    /// </summary>
    public bool UseAllNodes { get; init; }

    /// <summary>Nodes that must not be used.</summary>
    public ImmutableArray<string> ExcludedNodes { get; init; } = [];

    /// <summary>Bytes that may be used at most, by node id.</summary>
    public ImmutableDictionary<string, long> MemoryCapBytes { get; init; } = ImmutableDictionary<string, long>.Empty;

    /// <summary>Bytes that stay free on each node; ≥ 0.</summary>
    public long ReserveBytes { get; init; }

    /// <summary>Layers that must lie on a node, whatever else it holds; one range for a node.</summary>
    public ImmutableArray<ManualStage> PinnedLayers { get; init; } = [];

    /// <summary>Tokens of the prompt that time to first token is predicted for; ≥ 1.</summary>
    public int PromptTokens { get; init; } = 512;

    /// <summary>
    /// Plans over several machines are rated with as many batches in flight as machines, also where one batch would do: so a plan runs whose layers are given.
    /// </summary>
    public bool AlwaysPipelined { get; init; }

    /// <summary>The kind of link that is assumed where none was measured, for example <c>thunderbolt5</c>; <see langword="null"/> for the default.</summary>
    public string? Link { get; init; }
}

/// <summary>One stage of a manual plan: layers [<paramref name="FirstLayer"/>, <paramref name="EndLayer"/>) on a node.</summary>
internal sealed record ManualStage(string NodeId, int FirstLayer, int EndLayer);

/// <summary>A plan, or the reasons why there is none.</summary>
internal abstract record PlacementResult
{
    private PlacementResult()
    {
    }

    internal sealed record Planned(PlacementPlan Plan) : PlacementResult;

    internal sealed record Refused(string Summary, ImmutableArray<Rejection> Rejections) : PlacementResult;
}

/// <summary>Which node holds which layers.</summary>
/// <param name="Stages">In pipeline order: the first one holds the embedding, the last one (rank 0) samples.</param>
/// <param name="MicroBatches">Steps in flight at once: as many as there are different machines among the stages.</param>
/// <param name="Rejections">What was left out, and why.</param>
internal sealed record PlacementPlan(
    string Engine,
    string EngineReason,
    ImmutableArray<PlacementStage> Stages,
    int ContextTokens,
    int MaxConcurrency,
    int MicroBatches,
    ImmutableArray<Rejection> Rejections)
{
    /// <summary>What is expected of it; <see langword="null"/> without <see cref="ClusterSnapshot.Knowledge"/>.</summary>
    public PlanPredictions? Predictions { get; init; }

    /// <summary>How good the plan is among all possible ones; <see langword="null"/> for manual and balanced plans.</summary>
    public PlanOptimality? Optimality { get; init; }

    /// <summary>The best plan on one node, what leaving out each node would do, and the best plans with other numbers of nodes.</summary>
    public PlanComparison? Comparison { get; init; }

    /// <summary>What was assumed for want of a measurement.</summary>
    public ImmutableArray<string> Assumptions { get; init; } = [];
}

/// <summary>One stage of a plan.</summary>
/// <param name="Rank">Number of stages − 1 for the first stage … 0 for the last one.</param>
/// <param name="WeightBytes">Weights of its layers, with the embedding or the head where they lie.</param>
internal sealed record PlacementStage(
    string NodeId,
    int Rank,
    int FirstLayer,
    int LayerCount,
    long WeightBytes,
    long KvCacheBytes,
    long WorkspaceBytes)
{
    public long TotalBytes => WeightBytes + KvCacheBytes + WorkspaceBytes;
}

/// <summary>Why a node, or a whole candidate, is not in the plan.</summary>
/// <param name="Subject">A node id, or the nodes of a candidate.</param>
/// <param name="Constraint">For example <c>memory</c>, <c>engine</c>, <c>model</c>, <c>context</c>.</param>
/// <param name="Needed">In the constraint's unit; bytes for memory.</param>
internal sealed record Rejection(string Subject, string Constraint, string Message, long Needed = 0, long Available = 0);
