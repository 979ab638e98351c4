using System.Collections.Immutable;

namespace ClusterLlm.AppHost.Cluster;

/// <summary>What the host reads of a node; sizes in bytes, rates in tokens per second.</summary>
internal sealed record NodeView(string Id, string? State)
{
    public string Name { get; init; } = "";

    public string HostName { get; init; } = "";

    public string? Reason { get; init; }

    public string Chip { get; init; } = "";

    public int CpuCores { get; init; }

    public int GpuCores { get; init; }

    public long MemoryTotalBytes { get; init; }

    public long UsableBytes { get; init; }

    /// <summary>Usable bytes that no deployment holds or is promised.</summary>
    public long FreeBytes { get; init; }

    public double TokensPerSecond { get; init; }

    public int RunningRequests { get; init; }

    public ImmutableArray<EngineView> Engines { get; init; } = [];

    public ImmutableArray<AddressView> Addresses { get; init; } = [];

    public DateTimeOffset JoinedAt { get; init; }

    public bool IsReady => Is("ready");

    public bool IsDraining => Is("draining");

    public bool IsLost => Is("lost");

    private bool Is(string state) => string.Equals(State, state, StringComparison.OrdinalIgnoreCase);
}

/// <summary>An engine on a node.</summary>
internal sealed record EngineView(string Name, string Version, bool Available, string UnavailableReason);

/// <summary>Where an agent listens.</summary>
internal sealed record AddressView(string Url, string Kind);

/// <summary>A model that nodes of the cluster have.</summary>
internal sealed record ModelView(string Id, int Layers, long Bytes)
{
    /// <summary>Longest sequence that the model knows, prompt and answer together.</summary>
    public int MaxContextTokens { get; init; }
}
