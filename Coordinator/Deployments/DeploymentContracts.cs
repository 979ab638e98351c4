using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Coordinator.Planning;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>A deployment as the API shows it.</summary>
/// <param name="Model">As it was asked for.</param>
/// <param name="ModelId">The model that was found.</param>
/// <param name="Progress">Loaded share, 0 to 1.</param>
/// <param name="Predicted">What the planner expects; <see langword="null"/> where it makes no prediction.</param>
/// <param name="Speed">What it decoded at while it ran, beside what was predicted; kept when it has stopped.</param>
/// <param name="Reason">Why it is in this state, or what it waits for.</param>
internal sealed record DeploymentContract(
    string Id,
    string Name,
    DeploymentState State,
    string? Reason,
    string Model,
    string? ModelId,
    PlacementObjective Objective,
    int ContextTokens,
    int Concurrency,
    string Engine,
    ImmutableArray<string> Nodes,
    DateTimeOffset CreatedAt,
    DateTimeOffset StateSince,
    int Generation,
    int Failures,
    DateTimeOffset? RetryAt,
    double Progress,
    long LoadedBytes,
    long TotalBytes,
    PlanContract? Plan,
    PredictedContract? Predicted,
    MeasuredContract? Measured,
    SpeedContract? Speed);

/// <summary>Which node holds which layers.</summary>
/// <param name="Stages">In pipeline order; the last one is rank 0, which samples.</param>
/// <param name="Fingerprint">Equal for equal plans: model, engine and version, nodes with their layers, context and concurrency.</param>
/// <param name="Failed"><see langword="null"/> unless its last launch has failed.</param>
internal sealed record PlanContract(
    string Engine,
    string EngineReason,
    int Layers,
    int ContextTokens,
    int Concurrency,
    int MicroBatches,
    long TotalBytes,
    ImmutableArray<StageContract> Stages,
    ImmutableArray<RejectionContract> Rejections,
    string Fingerprint,
    FailedPlanContract? Failed);

/// <summary>Launches by a plan that failed in a row.</summary>
/// <param name="Bad">It has failed too often: nothing is started by it until a person restarts the deployment or sends <c>retryBadPlan</c>.</param>
/// <param name="Reason">Of the last one.</param>
internal sealed record FailedPlanContract(int Launches, bool Bad, DateTimeOffset LastAt, string Reason);

/// <summary>One stage. Sizes in bytes.</summary>
/// <param name="State">Of its shard: <c>none</c> before it is started.</param>
internal sealed record StageContract(
    string Node,
    int Rank,
    int FirstLayer,
    int LayerCount,
    long WeightBytes,
    long KvCacheBytes,
    long WorkspaceBytes,
    string State,
    long LoadedBytes,
    string? Reason);

/// <summary>Why a node is not in a plan, or why there is none. Bytes where the constraint is memory.</summary>
internal sealed record RejectionContract(string Node, string Constraint, string Message, long Needed, long Available)
{
    public static ImmutableArray<RejectionContract> From(ImmutableArray<Rejection> rejections) =>
        [.. rejections.Select(each => new RejectionContract(each.Subject, each.Constraint, each.Message, each.Needed, each.Available))];
}

/// <summary>What rank 0 measures, over the last 10 s.</summary>
internal sealed record MeasuredContract(
    double DecodeTokensPerSecond, double PrefillTokensPerSecond, int RunningRequests, int QueuedRequests, long KvTokensUsed, long KvTokensCapacity);

/// <summary>The best 10 s of a deployment that served one request at a time, beside the prediction made before it started.</summary>
/// <param name="DifferenceShare">Measured / predicted − 1; −0.1 is 10 % slower. <see langword="null"/> without a prediction.</param>
internal sealed record SpeedContract(
    double MeasuredTokensPerSecond, DateTimeOffset MeasuredAt, double? PredictedTokensPerSecond, double? DifferenceShare, bool? InsideBand);
