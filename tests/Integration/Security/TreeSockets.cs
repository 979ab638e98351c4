using System.Net;

namespace ClusterLlm.Integration.Security;

/// <summary>The listening sockets of a process and of all below it, and what they tell to anybody on the machine.</summary>
internal static class TreeSockets
{
    // The host's own service for the dashboard, and what the dashboard takes telemetry by.
    private static readonly string[] OtherMethods =
    [
        "/aspire.v1.DashboardService/GetApplicationInformation", "/aspire.v1.DashboardService/WatchResources", "/aspire.v1.DashboardService/WatchResourceConsoleLogs",
        "/aspire.v1.DashboardService/ExecuteResourceCommand", "/aspire.v1.DashboardService/WatchInteractions",
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export", "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    ];

    /// <summary>All sockets; asserts that there are some, and that none can be reached from other machines.</summary>
    public static async Task<IReadOnlyList<IPEndPoint>> OnLoopbackAsync(int root, CancellationToken cancellationToken)
    {
        List<int> pids = [root, .. await ProcessTree.BelowAsync(root, "", cancellationToken)];
        var sockets = pids.SelectMany(ListeningSockets.Of).Distinct().ToList();
        Assert.NotEmpty(sockets);
        Assert.All(sockets, socket => Assert.True(IPAddress.IsLoopback(socket.Address), $"{socket} can be reached from other machines."));
        return sockets;
    }

    /// <summary>Asserts that all are on loopback, and that no gRPC method answers but the one that tells who the cluster is.</summary>
    public static async Task AssertClosedAsync(int root, CancellationToken cancellationToken)
    {
        var answers = new List<string>();
        foreach (var socket in await OnLoopbackAsync(root, cancellationToken))
        {
            answers.AddRange(await SocketProbe.MethodsAsync(() => new SocketsHttpHandler(), socket, [.. SocketProbe.ClusterMethods, .. OtherMethods], cancellationToken));
        }

        Assert.Equal(["/clusterllm.v1.EnrollmentService/GetAuthority"], answers);
    }
}
