using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.ServiceDefaults.Security;
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
        builder.AddStageTraffic();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            // Callers are other members of the cluster. A rank or a stage that computes for seconds reads nothing meanwhile, which is no
            // reason to reset the connection; one whose machine is gone is found out by pings.
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            endpoints.Configure(
                kestrel,
                kestrel.ApplicationServices.GetRequiredService<IOptions<NodeOptions>>().Value,
                kestrel.ApplicationServices.GetRequiredService<PeerListener>());
        });
    }
}
