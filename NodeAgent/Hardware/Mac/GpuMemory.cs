using System.Globalization;

namespace ClusterLlm.NodeAgent.Hardware.Mac;

/// <summary>How much memory a Mac's engines may use.</summary>
internal static class GpuMemory
{
    private const long MebiByte = 1L << 20;
    private const long SmallMemoryBytes = 36L << 30;

    /// <summary>For the CPU alone; assumed, in line with the 0.9 that mlx-lm and exo warn at; replace when measured.</summary>
    private const double CpuPart = 0.9;

    /// <summary>What the GPU may wire, or without a GPU what the CPU may take.</summary>
    /// <param name="wiredLimitMebiBytes"><c>iogpu.wired_limit_mb</c>; 0 and <see langword="null"/> mean that the system's default holds.</param>
    /// <param name="hasGpu">A GPU that tells its cores; virtual machines and Intel Macs have none for us.</param>
    /// <remarks>
    /// The default is not readable without an engine. Seen: 67 % (16 and 24 GB), 75 % (64 to 192 GB) on older systems, 74 to 84 % on newer ones.
    /// The older rule, 2/3 of RAM up to 36 GiB and 3/4 above (mistral.rs PR #1486), errs on the safe side. An engine that reports Metal's
    /// recommended working set knows better.
    /// </remarks>
    public static MemoryLimit Usable(long memoryBytes, long? wiredLimitMebiBytes, bool hasGpu)
    {
        if (wiredLimitMebiBytes is > 0 and var limit)
        {
            return new MemoryLimit(Math.Min(limit * MebiByte, memoryBytes), "iogpu.wired_limit_mb");
        }

        if (!hasGpu)
        {
            return new MemoryLimit((long)(memoryBytes * CpuPart), string.Create(CultureInfo.InvariantCulture, $"{CpuPart * 100:0} % of hw.memsize"));
        }

        return memoryBytes <= SmallMemoryBytes
            ? new MemoryLimit(memoryBytes / 3 * 2, "default GPU limit, assumed 2/3 of hw.memsize (iogpu.wired_limit_mb is 0)")
            : new MemoryLimit(memoryBytes / 4 * 3, "default GPU limit, assumed 3/4 of hw.memsize (iogpu.wired_limit_mb is 0)");
    }
}
