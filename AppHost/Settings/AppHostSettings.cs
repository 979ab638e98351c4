namespace ClusterLlm.AppHost.Settings;

/// <summary>What a person may choose about the cluster on this machine; everything else follows from it.</summary>
internal sealed record AppHostSettings
{
    public const int MostAgents = 64;

    /// <summary>Folder of all state: database, logs, models.</summary>
    public required string Home { get; init; }

    /// <summary>NodeAgents started on this machine. 0 starts none: the cluster then consists of added machines only.</summary>
    public int Agents { get; init; } = 3;

    /// <summary>Whether a person set <see cref="Agents"/>.</summary>
    public bool AgentsAreSet { get; init; }

    /// <summary>Share of the machine's usable memory that each local agent may use, in (0, 1]; null splits evenly.</summary>
    public double? AgentMemoryShare { get; init; }

    /// <summary>Whether the demo deployment is launched at start.</summary>
    public bool Demo { get; init; } = true;

    /// <summary>Runs the standalone host also where this program was built with Aspire.</summary>
    public bool Standalone { get; init; }

    /// <summary>Whether the standalone host shows the cluster in the Aspire dashboard.</summary>
    public bool Dashboard { get; init; } = true;

    /// <summary>Port of the dashboard's pages; null takes 18888, or another when that is in use; 0 takes any.</summary>
    public int? DashboardPort { get; init; }

    /// <summary>Folder that the dashboard is fetched into; null is <c>dashboard</c> in <see cref="Home"/>.</summary>
    public string? DashboardFolder { get; init; }

    /// <summary>Port of the Coordinator's HTTP API; null takes 7420, or another when that is in use; 0 takes any.</summary>
    public int? HttpPort { get; init; }

    /// <summary>Port of the Coordinator's gRPC services; null takes 7421, or another when that is in use; 0 takes any.</summary>
    public int? GrpcPort { get; init; }

    /// <summary>gRPC port of the first agent, the others follow; null takes 7430 and on, or others when they are in use; 0 takes any.</summary>
    public int? AgentPort { get; init; }

    /// <summary>Lowest level that the started processes log.</summary>
    public string LogLevel { get; init; } = "Information";
}
