using System.Collections.Immutable;

namespace ClusterLlm.AppHost.Standalone;

/// <summary>Where a supervised process is in its life.</summary>
internal enum ProcessState
{
    /// <summary>For what it depends on.</summary>
    Waiting,

    /// <summary>It runs, but does not listen yet.</summary>
    Starting,

    /// <summary>It listens; its health check has not passed yet or fails now.</summary>
    Running,

    Healthy,

    /// <summary>It ended unasked and is started again after a pause.</summary>
    Restarting,

    /// <summary>It ended unasked too often, or cannot start at all.</summary>
    Failed,

    Stopping,

    Stopped,
}

/// <summary>What is known of a supervised process at one moment.</summary>
internal sealed record ProcessSnapshot(string Name, ProcessState State)
{
    public int? Pid { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>Of the last run that ended; above 128 it was a signal's number plus 128.</summary>
    public int? ExitCode { get; init; }

    /// <summary>Starts after the first one.</summary>
    public int Restarts { get; init; }

    /// <summary>Addresses by endpoint name, known once it listens.</summary>
    public ImmutableSortedDictionary<string, string> Urls { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>One sentence for people about the state; empty when the state says it all.</summary>
    public string Detail { get; init; } = "";
}
