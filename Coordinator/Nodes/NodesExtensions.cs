using ClusterLlm.Coordinator.Nodes.Links;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Nodes;

/// <summary>The nodes of the cluster: membership, telemetry, channels.</summary>
internal static class NodesExtensions
{
    public static void AddNodes(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<NodesOptions>().BindConfiguration(NodesOptions.SectionName).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<NodesOptions>, NodesOptionsValidator>();
        builder.Services.AddSingleton<NodeRegistry>();
        builder.Services.AddSingleton<NodeChannels>();
        builder.Services.AddSingleton<INodeChannels>(services => services.GetRequiredService<NodeChannels>());
        builder.Services.AddSingleton<NodeLoops>();
        builder.Services.AddSingleton<NodeViews>();
        builder.Services.AddSingleton<LinkRegistry>();
        builder.Services.AddSingleton<AddressProber>();
        builder.Services.AddHostedService<LinkMonitor>();
        builder.Services.AddHostedService<NodeMonitor>();
        builder.Services.AddHostedService<NodeTelemetryWatcher>();
    }

    public static void MapNodes(this IEndpointRouteBuilder routes)
    {
        routes.MapGrpcService<MembershipGrpcService>();
        routes.MapNodeEndpoints();
        routes.MapLinkEndpoints();
    }
}
