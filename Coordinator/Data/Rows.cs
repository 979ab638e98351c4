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

/// <summary>Launches by one plan that failed in a row.</summary>
internal sealed class PlanFailureRow
{
    public required string Fingerprint { get; set; }

    /// <summary>In words.</summary>
    public required string Plan { get; set; }

    public int Launches { get; set; }

    public long LastAtUnixMs { get; set; }

    public required string Reason { get; set; }

    public required string DeploymentId { get; set; }
}

/// <summary>The cluster itself: one row.</summary>
internal sealed class ClusterRow
{
    public required string ClusterId { get; set; }

    public long CreatedAtUnixMs { get; set; }
}

/// <summary>What was measured on a node with an engine, or by others on machines with the same chip.</summary>
internal sealed class CalibrationRow
{
    /// <summary>A node's id; <c>chip:…</c> for a kind of machine.</summary>
    public required string NodeId { get; set; }

    public required string Engine { get; set; }

    public required string EngineVersion { get; set; }

    public required string OperatingSystem { get; set; }

    public double BandwidthShare { get; set; }

    public double LayerMilliseconds { get; set; }

    public long MeasuredAtUnixMs { get; set; }

    /// <summary>Whose measurements it comes from; null for the node's own.</summary>
    public string? Source { get; set; }
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

/// <summary>A comparison as it is stored.</summary>
internal sealed class ComparisonRow
{
    public required string Id { get; set; }

    public long CreatedAtUnixMs { get; set; }

    public required string Model { get; set; }

    /// <summary>The name of a <c>ComparisonState</c>.</summary>
    public required string State { get; set; }

    /// <summary>Of <c>ComparisonRecord</c>, as JSON: read and written whole.</summary>
    public required string Record { get; set; }
}

/// <summary>A measurement of another person's machine.</summary>
internal sealed class MeasurementRow
{
    /// <summary>A hash of the row: the same row is kept once.</summary>
    public required string Id { get; set; }

    public required string Chip { get; set; }

    public required string Engine { get; set; }

    /// <summary>Who says so.</summary>
    public required string Source { get; set; }

    /// <summary>Of <c>SharedMeasurement</c>, as JSON.</summary>
    public required string Measurement { get; set; }

    public long ImportedAtUnixMs { get; set; }
}

/// <summary>A machine's SSH host key that was trusted.</summary>
internal sealed class HostKeyRow
{
    public required string Host { get; set; }

    public int Port { get; set; }

    public required string KeyType { get; set; }

    public required string Fingerprint { get; set; }

    public long PinnedAtUnixMs { get; set; }
}

/// <summary>An address that a person has set for the way from a node to another.</summary>
internal sealed class LinkChoiceRow
{
    public required string FromNodeId { get; set; }

    public required string ToNodeId { get; set; }

    public required string Url { get; set; }
}
