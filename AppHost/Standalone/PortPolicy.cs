using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.AppHost.Standalone;

/// <summary>Chooses the port that a process is told to listen on.</summary>
internal static class PortPolicy
{
    /// <summary>One line for each port that a person set and somebody else uses.</summary>
    public static IReadOnlyList<string> FixedPortProblems(ClusterTopology topology, Func<int, bool> isFree) =>
    [
        .. topology.Processes
            .SelectMany(process => process.Endpoints)
            .Where(endpoint => endpoint.Fixed)
            .Select(endpoint => Choose(endpoint, earlier: null, isFree).Problem)
            .OfType<string>(),
    ];

    /// <param name="endpoint">What the topology says.</param>
    /// <param name="earlier">The port of this endpoint's last run, which others may have been told; null at the first start.</param>
    /// <param name="isFree">Whether a loopback port can be listened on now.</param>
    public static PortChoice Choose(EndpointResource endpoint, int? earlier, Func<int, bool> isFree)
    {
        if (endpoint.Fixed)
        {
            return isFree(endpoint.Port)
                ? new(endpoint.Port, Problem: null)
                : new(endpoint.Port, $"Port {endpoint.Port} ({endpoint.Setting}) is in use. End what listens there, set {endpoint.Setting} to another port, or leave it out to have one chosen.");
        }

        var wanted = earlier ?? endpoint.Port;
        return new(wanted != 0 && isFree(wanted) ? wanted : 0, Problem: null);
    }
}

/// <param name="Port">To listen on; 0: any.</param>
/// <param name="Problem">Why this port will not do, in one line; null when it will.</param>
internal readonly record struct PortChoice(int Port, string? Problem);
