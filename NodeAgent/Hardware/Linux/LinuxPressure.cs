namespace ClusterLlm.NodeAgent.Hardware.Linux;

/// <summary>Memory pressure in macOS's three words for a system that has only numbers.</summary>
internal static class LinuxPressure
{
    // Assumed; replace when measured. Below 3 % Linux spends its time on reclaiming.
    private const double WarningFreePart = 0.10;
    private const double CriticalFreePart = 0.03;

    /// <param name="freePart">Available memory as a part of all, 0 to 1.</param>
    public static MemoryPressure FromFreePart(double freePart) => freePart switch
    {
        < CriticalFreePart => MemoryPressure.Critical,
        < WarningFreePart => MemoryPressure.Warning,
        _ => MemoryPressure.Normal,
    };
}
