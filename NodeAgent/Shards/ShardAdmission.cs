using System.Globalization;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Hardware;

namespace ClusterLlm.NodeAgent.Shards;

/// <summary>Whether a shard's memory fits beside what runs here already.</summary>
internal static class ShardAdmission
{
    /// <param name="check">The engine's own check.</param>
    /// <param name="committedBytes">Promised to the other shards of this agent.</param>
    /// <param name="usable">What this agent may use, its share applied.</param>
    /// <param name="freeBytes">Not in use on the machine now.</param>
    /// <returns>The check with the problems of memory added to it.</returns>
    public static ShardCheck WithMemory(
        this ShardCheck check,
        ShardSpec spec,
        long committedBytes,
        MemoryLimit usable,
        long freeBytes)
    {
        var problems = check.Problems.ToBuilder();
        var needed = check.NeededBytes();
        if (spec.MemoryLimitBytes > 0 && needed > spec.MemoryLimitBytes)
        {
            problems.Add(Problem(needed, spec.MemoryLimitBytes, $"the plan's limit for this shard is {spec.MemoryLimitBytes} bytes"));
        }

        var unpromised = Math.Max(0, usable.Bytes - committedBytes);
        if (needed > unpromised)
        {
            problems.Add(Problem(
                needed,
                unpromised,
                $"of {usable.Bytes} usable bytes ({usable.Source}) {committedBytes} are promised to other shards, which leaves {unpromised}"));
        }
        else if (needed > freeBytes)
        {
            problems.Add(Problem(needed, freeBytes, $"only {freeBytes} bytes are free on the machine: end other programs"));
        }

        return check with { Problems = problems.ToImmutable() };
    }

    /// <summary>Weights, KV cache and workspace together, in bytes.</summary>
    public static long NeededBytes(this ShardCheck check) => check.WeightBytes + check.KvCacheBytes + check.WorkspaceBytes;

    private static ShardProblem Problem(long needed, long available, FormattableString why) => new(
        "memory",
        string.Create(CultureInfo.InvariantCulture, $"The shard needs {needed} bytes; {why.ToString(CultureInfo.InvariantCulture)}."),
        needed,
        Math.Max(0, available));
}
