using ClusterLlm.Coordinator.Catalog;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Planning;

/// <summary>Planning on the cluster of now and on machines that one doesn't have; the catalogues.</summary>
internal static class PlanningExtensions
{
    public static void AddPlanning(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<HubOptions>().BindConfiguration(HubOptions.SectionName).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<HubOptions>, HubOptionsValidator>();
        builder.Services.AddHttpClient<HubClient>();
        builder.Services.AddSingleton<PlanService>();
    }

    public static void MapPlanning(this IEndpointRouteBuilder routes) => routes.MapPlanEndpoints();
}
