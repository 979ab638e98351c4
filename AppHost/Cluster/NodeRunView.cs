using System.Collections.Immutable;

namespace ClusterLlm.AppHost.Cluster;

/// <summary>What the host reads of an installation over SSH.</summary>
/// <param name="State">running, succeeded or failed.</param>
internal sealed record NodeRunView(string Id, string State, string Host)
{
    public string? NodeId { get; init; }

    public ImmutableArray<NodeRunStepView> Steps { get; init; } = [];

    public ImmutableArray<string> Notes { get; init; } = [];

    public NodeRunProblemView? Problem { get; init; }
}

/// <param name="State">waiting, running, done or failed.</param>
internal sealed record NodeRunStepView(string Name, string Title, string State, string? Detail);

/// <param name="Repeat">How to go on.</param>
internal sealed record NodeRunProblemView(string Step, string Message, string Repeat);
