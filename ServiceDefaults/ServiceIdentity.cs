using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace ClusterLlm.ServiceDefaults;

/// <summary>What telemetry calls this process.</summary>
/// <param name="Name">OpenTelemetry's <c>service.name</c>.</param>
/// <param name="InstanceId">OpenTelemetry's <c>service.instance.id</c>.</param>
internal sealed record ServiceIdentity(string Name, string InstanceId, string? Version)
{
    /// <summary>
    /// Reads <c>Telemetry:ServiceName</c> and <c>Telemetry:ServiceInstanceId</c>. Without them the name is the application's last part in lower case,
    /// and the instance is <c>Node:Id</c> or the host's name with the process id.
    /// </summary>
    public static ServiceIdentity From(IConfiguration configuration, string applicationName) => new(
        configuration["Telemetry:ServiceName"] ?? applicationName[(applicationName.LastIndexOf('.') + 1)..].ToLowerInvariant(),
        configuration["Telemetry:ServiceInstanceId"] ?? configuration["Node:Id"] ?? $"{Environment.MachineName}-{Environment.ProcessId}",
        Assembly.GetEntryAssembly()?.GetName().Version?.ToString(3));
}
