using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Models;

/// <summary>The models that the nodes have.</summary>
internal static class ModelsExtensions
{
    public static void AddModels(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<ModelsOptions>().BindConfiguration(ModelsOptions.SectionName).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<ModelsOptions>, ModelsOptionsValidator>();
        builder.Services.AddSingleton<ModelRegistry>();
        builder.Services.AddSingleton<ModelClient>();
        builder.Services.AddSingleton<ModelResolver>();
        builder.Services.AddSingleton<ModelRefresh>();
        builder.Services.AddHostedService<ModelInventoryWatcher>();
    }

    public static void MapModels(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/models", async (ModelRegistry models, ModelRefresh refresh, CancellationToken cancellationToken, bool refreshNow = false) =>
        {
            if (refreshNow)
            {
                await refresh.RefreshAsync(cancellationToken);
            }

            return ModelViews.From([.. models.Current.Values]);
        }).WithTags("Models").WithSummary("What models the cluster has, and which nodes hold which files. With refreshNow=true every node is asked first.");
}
