using ClusterLlm.NodeAgent.Hardware.Linux;
using ClusterLlm.NodeAgent.Hardware.Mac;

namespace ClusterLlm.NodeAgent.Hardware;

/// <summary>Chooses the reader for this system.</summary>
internal static class HardwareExtensions
{
    public static void AddHardware(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ICommandRunner, CommandRunner>();
        builder.Services.AddSingleton(CreateReader);
        builder.Services.AddSingleton<MachineFactsCache>();
        builder.Services.AddSingleton<MachineMonitor>();
    }

    private static IHardwareReader CreateReader(IServiceProvider services)
    {
        if (OperatingSystem.IsMacOS())
        {
            var ticks = new MacCpuTicks();
            return new MacHardwareReader(
                services.GetRequiredService<ICommandRunner>(),
                () => OperatingSystem.IsMacOS() ? ticks.Read() : null);
        }

        return OperatingSystem.IsLinux()
            ? new LinuxHardwareReader(root: "")
            : throw new PlatformNotSupportedException("The node agent reads macOS and Linux machines only.");
    }
}
