using System.Collections.Immutable;

namespace ClusterLlm.AppHost.Cluster;

/// <summary>What the host reads of a deployment; the API says more.</summary>
internal sealed record DeploymentView
{
    public string Id { get; init; } = "";

    public string Name { get; init; } = "";

    public string Model { get; init; } = "";

    /// <summary>As the API words it, for example <c>loading</c> or <c>ready</c>.</summary>
    public string State { get; init; } = "";

    public string? Reason { get; init; }

    /// <summary>Loaded share of the weights, 0 to 1.</summary>
    public double? Progress { get; init; }

    public string Objective { get; init; } = "";

    public int ContextTokens { get; init; }

    /// <summary>Sequences at once.</summary>
    public int Concurrency { get; init; }

    public string Engine { get; init; } = "";

    /// <summary>Those it was asked for on; empty leaves the choice to the planner.</summary>
    public ImmutableArray<string> Nodes { get; init; } = [];

    public DateTimeOffset CreatedAt { get; init; }

    public PlanView? Plan { get; init; }

    public MeasuredView? Measured { get; init; }

    public bool IsReady => Is("ready");

    public bool HasStopped => Is("stopped");

    /// <summary>Nothing is under way: it stays as it is until somebody asks or something fails.</summary>
    public bool IsSettled => IsReady || HasStopped || Is("failed");

    public bool HasEnded => Is("failed") || Is("stopped") || Is("stopping");

    private bool Is(string state) => State.Equals(state, StringComparison.OrdinalIgnoreCase);
}

/// <summary>What rank 0 measures, tokens per second over the last 10 s.</summary>
internal sealed record MeasuredView(double DecodeTokensPerSecond, double PrefillTokensPerSecond, int RunningRequests, int QueuedRequests);

/// <summary>The answer to a plan request.</summary>
internal sealed record PlanAnswerView(string ModelId, PlanView Plan);

/// <summary>Which node holds which layers, in pipeline order.</summary>
internal sealed record PlanView(ImmutableArray<StageView> Stages)
{
    public string Engine { get; init; } = "";

    public string EngineReason { get; init; } = "";

    public int ContextTokens { get; init; }

    public int Concurrency { get; init; }

    public ImmutableArray<RejectionView> Rejections { get; init; } = [];
}

/// <summary>Sizes in bytes.</summary>
internal sealed record StageView(string Node, int Rank, int FirstLayer, int LayerCount, long WeightBytes)
{
    public long KvCacheBytes { get; init; }

    public long WorkspaceBytes { get; init; }
}

/// <summary>Why a node is not in a plan.</summary>
internal sealed record RejectionView(string Node, string Message);
