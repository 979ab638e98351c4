using System.Collections.Immutable;

namespace ClusterLlm.AppHost.Cluster;

/// <summary>How a state looks: the dashboard has an icon and a colour for each.</summary>
internal enum LiveStateStyle
{
    Info,
    Success,
    Warning,
    Error,
}

/// <summary>A node or deployment as a row of the dashboard: both hosts show exactly this.</summary>
/// <param name="Name">Unique among all resources, letters, digits and hyphens.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Id">What the API calls it.</param>
internal sealed record LiveResource(string Name, LiveResourceKind Kind, string Id)
{
    public required string DisplayName { get; init; }

    /// <summary>One word, for example <c>Running</c>.</summary>
    public required string State { get; init; }

    public required LiveStateStyle Style { get; init; }

    /// <summary>The resource that it stands under; null at the top level.</summary>
    public string? Parent { get; init; }

    /// <summary>Since when it exists; stays what it is for as long as it does.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    public ImmutableArray<LiveProperty> Properties { get; init; } = [];

    /// <summary>Names of the resources that it uses.</summary>
    public ImmutableArray<string> Uses { get; init; } = [];

    /// <summary>Names of the commands that can be run in this state.</summary>
    public ImmutableArray<string> EnabledCommands { get; init; } = [];

    /// <summary>The same to everybody who looks.</summary>
    public bool Equals(LiveResource? other) =>
        other is not null && (Name, Kind, Id, DisplayName, State, Style, Parent, StartedAt)
            == (other.Name, other.Kind, other.Id, other.DisplayName, other.State, other.Style, other.Parent, other.StartedAt)
        && Properties.AsSpan().SequenceEqual(other.Properties.AsSpan())
        && Uses.AsSpan().SequenceEqual(other.Uses.AsSpan())
        && EnabledCommands.AsSpan().SequenceEqual(other.EnabledCommands.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Name, State, Properties.Length);
}

internal enum LiveResourceKind
{
    Node,
    Deployment,
    PythonEnvironment,
}

/// <summary>A line of a resource's details.</summary>
/// <param name="Name">Unique in the resource.</param>
/// <param name="Label">As people read it.</param>
internal sealed record LiveProperty(string Name, string Label, string Value);
