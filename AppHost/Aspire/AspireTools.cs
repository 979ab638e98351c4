using System.Reflection;

namespace ClusterLlm.AppHost.Aspire;

/// <summary>Where Aspire's orchestrator and dashboard are: a setting says it, or the build found their packages.</summary>
internal static class AspireTools
{
    private static readonly (string What, string Setting, string Bundle, string Package)[] Tools =
    [
        ("orchestrator", "DcpPublisher__CliPath", "ASPIRE_DCP_PATH", "dcpclipath"),
        ("dashboard", "DcpPublisher__DashboardPath", "ASPIRE_DASHBOARD_PATH", "aspiredashboardpath"),
    ];

    /// <summary>Why the Aspire host cannot start here, in one sentence; null when it can.</summary>
    public static string? Problem() => Tools
        .Select(tool => (tool.What, tool.Setting, Path: PathOf(tool.Setting, tool.Bundle, tool.Package)))
        .Where(tool => !File.Exists(tool.Path) && !Directory.Exists(tool.Path))
        .Select(tool => tool.Path is { Length: > 0 } path
            ? $"Aspire's {tool.What} is not at {path}: correct {tool.Setting}"
            : $"built with Aspire, but its {tool.What} is missing: set {tool.Setting} to that of an installed Aspire CLI")
        .FirstOrDefault();

    private static string? PathOf(string setting, string bundle, string package) =>
        First(Environment.GetEnvironmentVariable(setting), Environment.GetEnvironmentVariable(bundle))
        ?? typeof(AspireTools).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .FirstOrDefault(entry => entry.Key.Equals(package, StringComparison.OrdinalIgnoreCase))?.Value;

    private static string? First(params string?[] values) => values.FirstOrDefault(value => !string.IsNullOrWhiteSpace(value));
}
