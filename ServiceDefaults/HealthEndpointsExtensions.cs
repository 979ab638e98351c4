using ClusterLlm.ServiceDefaults;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Routing;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps the probes: <c>/health</c>, <c>/alive</c> and <c>grpc.health.v1</c>.</summary>
public static class HealthEndpointsExtensions
{
    /// <summary><c>/health</c> runs every check (ready), <c>/alive</c> only those with the tag <c>live</c>.</summary>
    /// <remarks>Always mapped, not only in Development: agents and supervisors ask for them in every environment, and no check tells more than a state.</remarks>
    public static TRoutes MapDefaultEndpoints<TRoutes>(this TRoutes routes)
        where TRoutes : IEndpointRouteBuilder
    {
        routes.MapHealthChecks(HealthEndpoints.ReadyPath, new HealthCheckOptions { ResponseWriter = HealthEndpoints.WriteAsync });
        routes.MapHealthChecks(HealthEndpoints.AlivePath, new HealthCheckOptions
        {
            Predicate = check => check.Tags.Contains(HealthEndpoints.LiveTag),
            ResponseWriter = HealthEndpoints.WriteAsync,
        });
        routes.MapGrpcHealthChecksService();
        return routes;
    }
}
