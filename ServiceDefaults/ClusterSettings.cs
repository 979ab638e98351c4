using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.CommandLine;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Memory;

namespace ClusterLlm.ServiceDefaults;

/// <summary>Where settings come from, besides what a .NET host reads anyway.</summary>
internal static class ClusterSettings
{
    /// <summary><c>CLUSTERLLM__Node__Id=a</c> sets <c>Node:Id</c>.</summary>
    public const string EnvironmentPrefix = "CLUSTERLLM__";

    /// <summary>
    /// Adds, weakest first: log levels that keep the console calm; then, stronger than files and plain environment variables but weaker than the
    /// command line, the environment variables with our prefix.
    /// </summary>
    public static void AddClusterSettings(this IConfigurationManager configuration)
    {
        configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = CalmLevels });

        var environment = new EnvironmentVariablesConfigurationSource { Prefix = EnvironmentPrefix };
        var commandLine = configuration.Sources.ToList().FindLastIndex(source => source is CommandLineConfigurationSource);
        configuration.Sources.Insert(commandLine < 0 ? configuration.Sources.Count : commandLine, environment);
    }

    private static Dictionary<string, string?> CalmLevels { get; } = new()
    {
        ["Logging:LogLevel:Default"] = "Information",
        ["Logging:LogLevel:Microsoft"] = "Warning",
        ["Logging:LogLevel:Microsoft.Hosting.Lifetime"] = "Information",
        ["Logging:LogLevel:System.Net.Http"] = "Warning",
        ["Logging:LogLevel:Grpc"] = "Warning",
    };
}
