using System.Runtime.InteropServices;

namespace ClusterLlm.AppHost.Dashboard;

/// <summary>The npm package that carries the Aspire dashboard.</summary>
internal static class DashboardPackage
{
    /// <summary>The dashboard whose resource contract this host serves.</summary>
    public const string Version = "13.5.3";

    /// <summary>Null where there is no such package: it exists for macOS and Linux, x64 and arm64.</summary>
    public static string? Name { get; } = (System(), Processor()) is ({ } system, { } processor) ? $"@microsoft/aspire-cli-{system}-{processor}" : null;

    private static string? System() => OperatingSystem.IsMacOS() ? "darwin" : OperatingSystem.IsLinux() ? "linux" : null;

    private static string? Processor() => RuntimeInformation.OSArchitecture switch
    {
        Architecture.X64 => "x64",
        Architecture.Arm64 => "arm64",
        _ => null,
    };
}
