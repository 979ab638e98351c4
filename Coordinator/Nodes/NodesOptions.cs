namespace ClusterLlm.Coordinator.Nodes;

/// <summary>How nodes are watched.</summary>
internal sealed class NodesOptions
{
    public const string SectionName = "Nodes";

    /// <summary>How long a node may be silent before it counts as lost. Default 6 s. Short: losses show soon, but a busy machine may be given up too early.</summary>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(6);

    /// <summary>How often agents renew their lease. Default 2 s; must be at most half of <see cref="LeaseDuration"/>.</summary>
    public TimeSpan RenewInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long the telemetry stream of a node may be down before the node counts as lost. Default 3 s.</summary>
    public TimeSpan StreamGrace { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>How often silence is looked at. Default 0.5 s.</summary>
    public TimeSpan CheckInterval { get; set; } = TimeSpan.FromSeconds(0.5);

    /// <summary>Time between telemetry readings. Default 1 s.</summary>
    public TimeSpan TelemetryInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Wait after the first failed connection to a node; doubles up to <see cref="ReconnectLongest"/>. Default 0.2 s.</summary>
    public TimeSpan ReconnectFirst { get; set; } = TimeSpan.FromSeconds(0.2);

    /// <summary>Longest wait between connections to a node. Default 3 s.</summary>
    public TimeSpan ReconnectLongest { get; set; } = TimeSpan.FromSeconds(3);
}
