namespace ClusterLlm.NodeAgent.Settings;

/// <summary>The section <c>Node</c>: who this agent is, where it listens and how much of the machine it may use.</summary>
internal sealed class NodeOptions
{
    public const string SectionName = "Node";

    /// <summary>Stable name of the node. Default: made at the first start and kept in <c>node-id</c> under the home folder.</summary>
    public string? Id { get; set; }

    /// <summary>Name for people. Default: the host's name.</summary>
    public string? DisplayName { get; set; }

    /// <summary>Folders that hold model folders. Default: <c>models</c> under the home folder.</summary>
    public List<string> ModelDirectories { get; set; } = [];

    /// <summary>The Coordinator's gRPC address. Default: none; the agent then serves without a cluster.</summary>
    public Uri? CoordinatorUrl { get; set; }

    /// <summary>The address under which others reach this agent. Default: the address that it listens on.</summary>
    public Uri? AdvertisedUrl { get; set; }

    /// <summary>gRPC port. Default 7430; 0 takes a free one.</summary>
    public int GrpcPort { get; set; } = 7430;

    /// <summary>HTTP/1.1 port of <c>/health</c> and <c>/alive</c>, loopback only. Default 0: a free one.</summary>
    public int ProbePort { get; set; }

    /// <summary>Share of the usable memory that this agent may count as its own, above 0 up to 1. Default: all of it.</summary>
    public double? MemoryShare { get; set; }

    /// <summary>Upper limit in bytes of the memory that this agent may count as its own. Default: none.</summary>
    public long? MemoryLimitBytes { get; set; }

    /// <summary>A file to write once the agent listens: <c>{"grpcUrl","probeUrl","pid"}</c>. Default: none.</summary>
    public string? ReadyFile { get; set; }
}
