using ClusterLlm.NodeAgent.Settings;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Hosting;

/// <summary>Opens the agent's ports.</summary>
internal static class HostingExtensions
{
    public static void AddAgentHosting(this WebApplicationBuilder builder)
    {
        var endpoints = new AgentEndpoints();
        builder.Services.AddSingleton(endpoints);
        builder.Services.AddHostedService<ListeningAnnouncer>();
        builder.WebHost.ConfigureKestrel(kestrel =>
            endpoints.Configure(kestrel, kestrel.ApplicationServices.GetRequiredService<IOptions<NodeOptions>>().Value));
    }
}
