namespace ClusterLlm.NodeAgent.Engines.Mlx;

/// <summary>The section <c>Engines:Mlx</c>.</summary>
internal sealed class MlxOptions
{
    public const string SectionName = "Engines:Mlx";

    /// <summary>Default true; false makes this node say that it has no MLX.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>A Python interpreter that has mlx and mlx-lm. Default: the environment <c>mlx</c> under the home folder.</summary>
    public string? Python { get; set; }

    /// <summary>A folder of wheels to install from, for machines without a package index. Default: none, the index is asked.</summary>
    public string? WheelFolder { get; set; }

    /// <summary>Whether the environment may be made when it is missing. Default: on macOS, and where a wheel folder is named.</summary>
    public bool? Install { get; set; }

    /// <summary>How ranks reach each other. Default: through the agents.</summary>
    public MlxTransport Transport { get; set; } = MlxTransport.Tunnel;

    /// <summary>For <see cref="MlxTransport.Direct"/>: this node's IPv4 address on the point-to-point link that ranks listen on. Everyone who reaches it can join the ring.</summary>
    public string? DirectAddress { get; set; }

    /// <summary>For <see cref="MlxTransport.Direct"/>: rank r listens on this port + r. Default 32323, as mlx.launch.</summary>
    public int DirectPort { get; set; } = 32323;

    /// <summary>For <see cref="MlxTransport.Jaccl"/>: the RDMA device towards each rank, by node id, for example <c>{"mac-2": "rdma_en5"}</c>.</summary>
    public Dictionary<string, string> RdmaDevices { get; set; } = [];

    /// <summary>A rank that gets nowhere for so long is ended. Longer than the slowest prefill chunk. Default 2 minutes.</summary>
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Time to load besides what the weights need at 50 MB/s. Default 2 minutes.</summary>
    public TimeSpan ReadyTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How long running answers may go on when a shard is stopped. Default 2 s.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Tokens per prefill chunk unless the plan says otherwise: how long decoding may stand still. Default 512.</summary>
    public int PrefillChunkTokens { get; set; } = 512;

    /// <summary>Stored KV caches of earlier prompts. Default 4; 0 stores none.</summary>
    public int PromptCacheSequences { get; set; } = 4;

    /// <summary>Tokens of all stored KV caches together, where memory allows. Default 32768.</summary>
    public int PromptCacheTokens { get; set; } = 32768;

    /// <summary>Metal memory to wire: <c>auto</c>, <c>off</c> or bytes. Default auto.</summary>
    public string Wired { get; set; } = "auto";

    /// <summary>Requests that may wait for a free sequence. Default 256.</summary>
    public int QueueLimit { get; set; } = 256;

    /// <summary>Where the reference of the split-correctness gate comes from. Default: a stored one, else measured if this node can hold the model.</summary>
    public SplitReferenceSource Reference { get; set; } = SplitReferenceSource.Auto;
}

/// <summary>How ranks reach each other.</summary>
internal enum MlxTransport
{
    /// <summary>Ranks talk to loopback ports of their agents, and the agents carry the bytes.</summary>
    Tunnel,

    /// <summary>Ranks connect to each other, without encryption: only for a link between two machines.</summary>
    Direct,

    /// <summary>RDMA over Thunderbolt 5. Not verified on hardware.</summary>
    Jaccl,
}

/// <summary>Where the reference of the split-correctness gate comes from.</summary>
internal enum SplitReferenceSource
{
    Auto,
    Stored,
    Off,
}
