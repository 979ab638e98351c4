using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace ClusterLlm.NodeAgent.Hardware.Mac;

/// <summary>
/// CPU time from the kernel. No command gives it well: ps averages over a minute, and top's first sample is 0.
/// </summary>
[SupportedOSPlatform("macos")]
internal sealed partial class MacCpuTicks
{
    // mach/host_info.h: HOST_CPU_LOAD_INFO, four counters in the order user, system, idle, nice.
    private const int HostCpuLoadInfo = 3;
    private const int Counters = 4;

    // Each call of mach_host_self adds a reference to the port, so it is asked once.
    private readonly uint _host = mach_host_self();

    /// <summary><see langword="null"/> when the kernel refuses.</summary>
    public CpuTicks? Read()
    {
        var counters = new uint[Counters];
        var count = (uint)Counters;
        return host_statistics(_host, HostCpuLoadInfo, counters, ref count) == 0 && count == Counters
            ? new CpuTicks((long)counters[0] + counters[1] + counters[3], counters[2])
            : null;
    }

    [LibraryImport("libSystem.dylib")]
    private static partial uint mach_host_self();

    [LibraryImport("libSystem.dylib")]
    private static partial int host_statistics(uint host, int flavor, [Out] uint[] info, ref uint count);
}
