namespace ClusterLlm.Coordinator.Placement;

/// <summary>Says what is needed and what there is, in bytes and in words.</summary>
internal static class MemoryRefusal
{
    public static Rejection ForStage(string nodeId, int first, int end, StageMemory needed, long freeBytes) => new(
        nodeId,
        "memory",
        $"Layers [{first}, {end}) need {Gigabytes(needed.TotalBytes)} on {nodeId} (weights {Gigabytes(needed.WeightBytes)}, "
            + $"KV cache {Gigabytes(needed.KvCacheBytes)}, workspace {Gigabytes(needed.WorkspaceBytes)}), but {Gigabytes(freeBytes)} is free; "
            + "give it fewer layers, or ask for a shorter context or fewer requests at once.",
        needed.TotalBytes,
        freeBytes);

    /// <summary>Decimal gigabytes, or megabytes below 1 GB.</summary>
    public static string Gigabytes(long bytes) =>
        Math.Abs(bytes) >= 1_000_000_000
            ? FormattableString.Invariant($"{bytes / 1e9:0.00} GB")
            : FormattableString.Invariant($"{bytes / 1e6:0.0} MB");
}
