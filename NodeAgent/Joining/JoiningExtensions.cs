using ClusterLlm.NodeAgent.Settings;
using Grpc.Net.Client;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Joining;

/// <summary>Membership in a cluster, when there is a Coordinator to join.</summary>
internal static class JoiningExtensions
{
    public static void AddJoining(this IHostApplicationBuilder builder)
    {
        // Whether there is one is fixed at the start, so that an agent without a cluster runs no loop.
        if (builder.Configuration[$"{NodeOptions.SectionName}:{nameof(NodeOptions.CoordinatorUrl)}"] is not { Length: > 0 } address)
        {
            return;
        }

        builder.Services.AddSingleton(services => GrpcChannel.ForAddress(
            address,
            new GrpcChannelOptions { LoggerFactory = services.GetRequiredService<ILoggerFactory>() }));
        builder.Services.AddSingleton(services => new Proto.MembershipService.MembershipServiceClient(services.GetRequiredService<GrpcChannel>()));
        builder.Services.AddSingleton<MembershipClient>();
        builder.Services.AddHostedService<LeaseKeeper>();
    }
}
