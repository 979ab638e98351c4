namespace ClusterLlm.Coordinator.Data;

/// <summary>A deployment as it is stored.</summary>
internal sealed class DeploymentRow
{
    public required string Id { get; set; }

    public required string Name { get; set; }

    /// <summary>Of <c>DeploymentSpec</c>, as JSON: read and written whole.</summary>
    public required string Spec { get; set; }

    /// <summary>Of <c>DeploymentPlan</c>, as JSON.</summary>
    public string? Plan { get; set; }

    public long CreatedAtUnixMs { get; set; }

    public bool Wanted { get; set; }

    public int Generation { get; set; }

    /// <summary>The name of a <c>DeploymentState</c>.</summary>
    public required string State { get; set; }

    public long StateSinceUnixMs { get; set; }

    public string? Reason { get; set; }

    public int Failures { get; set; }
}

/// <summary>The cluster itself: one row.</summary>
internal sealed class ClusterRow
{
    public required string ClusterId { get; set; }

    public long CreatedAtUnixMs { get; set; }
}

/// <summary>What was measured on a node with an engine.</summary>
internal sealed class CalibrationRow
{
    public required string NodeId { get; set; }

    public required string Engine { get; set; }

    public required string EngineVersion { get; set; }

    public required string OperatingSystem { get; set; }

    public double BandwidthShare { get; set; }

    public double LayerMilliseconds { get; set; }

    public long MeasuredAtUnixMs { get; set; }
}

/// <summary>A link as an agent measured it.</summary>
internal sealed class LinkRow
{
    public required string FromNodeId { get; set; }

    public required string ToNodeId { get; set; }

    public double RoundTripMilliseconds { get; set; }

    public double BandwidthBytesPerSecond { get; set; }

    public long MeasuredAtUnixMs { get; set; }
}

/// <summary>What a deployment decoded at.</summary>
internal sealed class SpeedRow
{
    public required string DeploymentId { get; set; }

    public double TokensPerSecond { get; set; }

    public long MeasuredAtUnixMs { get; set; }
}
