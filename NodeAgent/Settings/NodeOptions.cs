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

    /// <summary>The Coordinator's gRPC address, https. Default: the one that the node joined at, else those in the join token.</summary>
    public Uri? CoordinatorUrl { get; set; }

    /// <summary>
    /// A file with the join token, its owner's alone; <c>-</c> reads a line from standard input. Needed until the node has its certificate, which is kept
    /// under <c>node/</c> in the home folder. Default: none; an agent without certificate and token answers nobody.
    /// </summary>
    public string? JoinTokenFile { get; set; }

    /// <summary>The address that the gRPC port listens on: loopback (default), one of this machine's, or <c>0.0.0.0</c> or <c>::</c> for all.</summary>
    public string ListenAddress { get; set; } = "127.0.0.1";

    /// <summary>The address under which others reach this agent. Default: the address that it listens on.</summary>
    public Uri? AdvertisedUrl { get; set; }

    /// <summary>gRPC port. Default 7430; 0 takes a free one.</summary>
    public int GrpcPort { get; set; } = 7430;

    /// <summary>HTTP/1.1 port of <c>/alive</c>, loopback only. Default 0: a free one.</summary>
    public int ProbePort { get; set; }

    /// <summary>Share of the usable memory that this agent may count as its own, above 0 up to 1. Default: all of it.</summary>
    public double? MemoryShare { get; set; }

    /// <summary>Upper limit in bytes of the memory that this agent may count as its own. Default: none.</summary>
    public long? MemoryLimitBytes { get; set; }

    /// <summary>
    /// The program that measures power, with the arguments that come first: <c>/usr/bin/sudo -n /usr/bin/powermetrics</c> where sudo asks for no password. <c>none</c> turns it off.
    /// Default: powermetrics where the agent runs as root on a Mac, else none.
    /// </summary>
    public string? PowerCommand { get; set; }

    /// <summary>A file to write once the agent listens: <c>{"grpcUrl","probeUrl","pid"}</c>. Default: none.</summary>
    public string? ReadyFile { get; set; }
}
