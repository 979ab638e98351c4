namespace ClusterLlm.Coordinator.Hosting;

/// <summary>Keeps agents' gRPC on its port and everything else on the HTTP port.</summary>
/// <remarks>Requests without a port (an in-process test server) pass.</remarks>
internal sealed class PortGate(RequestDelegate next, ListeningPorts ports)
{
    public Task InvokeAsync(HttpContext context)
    {
        var isGrpc = context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true;
        var onGrpcPort = context.Connection.LocalPort == ports.Grpc;
        if (context.Connection.LocalPort == 0 || ports.Grpc == 0 || isGrpc == onGrpcPort)
        {
            return next(context);
        }

        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }
}

/// <summary>The ports that were bound; 0 until the server listens.</summary>
internal sealed class ListeningPorts
{
    public int Http { get; set; }

    public int Grpc { get; set; }
}
