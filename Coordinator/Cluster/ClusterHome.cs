using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Cluster;

/// <summary>The folder that holds the Coordinator's state.</summary>
internal sealed class ClusterHome(IOptions<ClusterOptions> options, IConfiguration configuration)
{
    /// <summary>Absolute path; the folder may not exist yet.</summary>
    public string Path { get; } = System.IO.Path.GetFullPath(
        Given(options.Value.Home)
        ?? Given(configuration["CLUSTERLLM_HOME"])
        ?? System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".clusterllm"));

    public string DatabasePath => System.IO.Path.Combine(Path, "coordinator.db");

    private static string? Given(string? path) => string.IsNullOrWhiteSpace(path) ? null : path;
}
