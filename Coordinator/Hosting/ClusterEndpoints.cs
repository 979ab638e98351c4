using System.Reflection;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Models;
using ClusterLlm.Coordinator.Nodes;

namespace ClusterLlm.Coordinator.Hosting;

/// <summary>The cluster in a few numbers.</summary>
/// <param name="TokensPerSecond">Decoded tokens per second of all nodes together, over the last 10 s.</param>
internal sealed record ClusterContract(
    string Id,
    string Version,
    IReadOnlyDictionary<string, int> Nodes,
    IReadOnlyDictionary<string, int> Deployments,
    int Models,
    long UsableBytes,
    long CommittedBytes,
    double TokensPerSecond,
    int RunningRequests);

/// <summary><c>/api/cluster</c>.</summary>
internal static class ClusterEndpoints
{
    public static void MapClusterEndpoints(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/cluster", (ClusterIdentity identity, NodeViews nodes, DeploymentRegistry deployments, ModelRegistry models) =>
            View(identity.ClusterId, nodes.All(), [.. deployments.Current.Values], models)).WithTags("Cluster").WithSummary("The cluster in a few numbers.");

    private static ClusterContract View(string clusterId, NodeContract[] nodes, Deployment[] deployments, ModelRegistry models)
    {
        var usable = nodes.Where(node => node.State is NodeState.Ready or NodeState.Draining).ToArray();
        return new ClusterContract(
            clusterId,
            Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "",
            Counts(nodes.Select(node => node.State)),
            Counts(deployments.Select(deployment => deployment.State)),
            models.Current.Values.SelectMany(inventory => inventory.Models).Select(model => model.ModelId).Distinct().Count(),
            usable.Sum(node => node.UsableBytes),
            usable.Sum(node => node.CommittedBytes),
            usable.Sum(node => node.TokensPerSecond),
            usable.Sum(node => node.RunningRequests));
    }

    private static Dictionary<string, int> Counts<T>(IEnumerable<T> states)
        where T : struct, Enum => states.CountBy(state => state)
        .ToDictionary(pair => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(pair.Key.ToString()), pair => pair.Value);
}
