using ClusterLlm.Coordinator.Deployments.FailedPlans;
using ClusterLlm.Coordinator.Inference;
using ClusterLlm.Coordinator.Nodes;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Models that should be running, and the loop that makes them run.</summary>
internal static class DeploymentsExtensions
{
    public static void AddDeployments(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<DeploymentsOptions>().BindConfiguration(DeploymentsOptions.SectionName).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<DeploymentsOptions>, DeploymentsOptionsValidator>();
        builder.Services.AddSingleton<DeploymentStore>();
        builder.Services.AddSingleton<DeploymentRegistry>();
        builder.Services.AddSingleton<ICommittedMemory>(services => services.GetRequiredService<DeploymentRegistry>());
        builder.Services.AddSingleton<ShardRegistry>();
        builder.Services.AddSingleton<ShardClient>();
        builder.Services.AddSingleton<PlanFailureStore>();
        builder.Services.AddSingleton<PlanFailures>();
        builder.Services.AddSingleton<DeploymentPlanner>();
        builder.Services.AddSingleton<DeploymentChanges>();
        builder.Services.AddSingleton<PlanStep>();
        builder.Services.AddSingleton<LaunchSteps>();
        builder.Services.AddSingleton<StopStep>();
        builder.Services.AddSingleton<DeploymentSteps>();
        builder.Services.AddHostedService<OrphanMonitor>();
        builder.Services.AddSingleton<DeploymentCommands>();
        builder.Services.AddSingleton<DeploymentViews>();
        builder.Services.AddSingleton<IInferenceRoutes, DeploymentRoutes>();
        builder.Services.AddHostedService<ShardWatcher>();
        builder.Services.AddHostedService<DeploymentWorker>();
    }

    public static void MapDeployments(this IEndpointRouteBuilder routes) => routes.MapDeploymentEndpoints();
}
