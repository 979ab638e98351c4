namespace ClusterLlm.AppHost.Demo;

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

    public PlanView? Plan { get; init; }

    public bool IsReady => Is("ready");

    public bool HasEnded => Is("failed") || Is("stopped") || Is("stopping");

    private bool Is(string state) => State.Equals(state, StringComparison.OrdinalIgnoreCase);
}

internal sealed record PlanView(IReadOnlyList<StageView> Stages);

internal sealed record StageView(string Node, int Rank, int FirstLayer, int LayerCount, long WeightBytes);

internal sealed record NodeView(string Id, string? State)
{
    public bool IsReady => string.Equals(State, "ready", StringComparison.OrdinalIgnoreCase);
}
