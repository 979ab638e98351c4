using ClusterLlm.Coordinator.Nodes.Adding.Api;
using ClusterLlm.Coordinator.Nodes.Adding.Installing;
using ClusterLlm.Coordinator.Nodes.Adding.Invitations;
using ClusterLlm.Coordinator.Nodes.Adding.Packages;
using ClusterLlm.Coordinator.Nodes.Adding.Runs;
using ClusterLlm.Coordinator.Nodes.Adding.Ssh;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Nodes.Adding;

/// <summary>Turning other machines into nodes.</summary>
internal static class AddingExtensions
{
    public static void AddAdding(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<AddingOptions>().BindConfiguration(AddingOptions.SectionName).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<AddingOptions>, AddingOptionsValidator>();
        builder.Services.AddSingleton<HostKeyStore>();
        builder.Services.AddSingleton<ITargetConnector, SshConnector>();
        builder.Services.AddSingleton<AgentPackages>();
        builder.Services.AddSingleton<ApiAddress>();
        builder.Services.AddSingleton<TargetCheck>();
        builder.Services.AddSingleton<JoinWait>();
        builder.Services.AddSingleton<IJoinInvitations, TokenInvitations>();
        builder.Services.AddSingleton<INodeForgetting, RegistryForgetting>();
        builder.Services.AddSingleton<NodeInstaller>();
        builder.Services.AddSingleton<NodeRemover>();
        builder.Services.AddSingleton<NodeRunRegistry>();
        builder.Services.AddSingleton<NodeRunWorker>();
        builder.Services.AddHostedService(services => services.GetRequiredService<NodeRunWorker>());
    }

    public static void MapAdding(this IEndpointRouteBuilder routes)
    {
        routes.MapAddingEndpoints();
        routes.MapInvitationEndpoints();
    }
}
