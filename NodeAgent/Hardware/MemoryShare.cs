using System.Globalization;

namespace ClusterLlm.NodeAgent.Hardware;

/// <summary>The part of the machine's usable memory that one agent may count as its own, so that agents of one machine don't count it twice.</summary>
internal static class MemoryShare
{
    /// <param name="machine">What the whole machine allows.</param>
    /// <param name="share"><c>Node:MemoryShare</c>, above 0 up to 1; <see langword="null"/> is 1.</param>
    /// <param name="limitBytes"><c>Node:MemoryLimitBytes</c>; <see langword="null"/> is no limit.</param>
    /// <returns>The smaller of share and limit, with the settings named in the source.</returns>
    public static MemoryLimit Apply(MemoryLimit machine, double? share, long? limitBytes)
    {
        var limit = share is { } fraction and < 1
            ? new MemoryLimit(
                (long)(machine.Bytes * fraction),
                string.Create(CultureInfo.InvariantCulture, $"Node:MemoryShare {fraction:0.####} of {machine.Source}"))
            : machine;
        return limitBytes is { } bytes && bytes < limit.Bytes
            ? new MemoryLimit(bytes, $"Node:MemoryLimitBytes below {limit.Source}")
            : limit;
    }
}
