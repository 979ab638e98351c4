using ClusterLlm.NodeAgent.Hardware.Linux;

namespace ClusterLlm.NodeAgent.Hardware;

/// <summary>Chooses the reader for this system.</summary>
internal static class HardwareExtensions
{
    public static void AddHardware(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IHardwareReader>(_ => new LinuxHardwareReader(root: ""));
        builder.Services.AddSingleton<MachineFactsCache>();
        builder.Services.AddSingleton<MachineMonitor>();
    }
}
