using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.Coordinator.Data;

/// <summary>Where the database lies.</summary>
internal static class CoordinatorDatabase
{
    public static string PathIn(ClusterHome home) => Path.Combine(home.Path, "coordinator.db");
}
