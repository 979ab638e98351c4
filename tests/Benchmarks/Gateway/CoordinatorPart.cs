using System.Net;
using ClusterLlm.Coordinator.Inference;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.ServiceDefaults.Security;
using Grpc.Core;
using ClusterLlm.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ClusterLlm.Benchmarks.Gateway;

/// <summary>The Coordinator's gateway as it is, with one fixed route instead of deployments and nodes.</summary>
internal static class CoordinatorPart
{
    public static async Task<int> RunAsync(BenchmarkOptions options)
    {
        var builder = WebApplication.CreateBuilder();
        builder.AddServiceDefaults();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.AddInference();
        var credentials = new ClusterCredentials(TimeProvider.System);
        credentials.Replace(Credentials(options.Value("home")!).Read());
        using var channel = TestAuthority.Channel(new Uri(options.Value("agent")!), credentials, ExpectedPeer.Node(options.Value("node")!));
        var cluster = new FixedCluster(channel.CreateCallInvoker());
        builder.Services.AddSingleton<IInferenceRoutes>(cluster);
        builder.Services.AddSingleton<INodeChannels>(cluster);
        await using var app = builder.Build();
        app.MapInference();
        await app.StartAsync();
        GatewayPart.Announce(app.Urls.Single());
        await app.WaitForShutdownAsync();
        return 0;
    }

    /// <summary>Where the one who starts this part leaves its certificate.</summary>
    public static CredentialFolder Credentials(string home) => new(Path.Combine(home, "coordinator"));

    private sealed class FixedCluster(CallInvoker agent) : IInferenceRoutes, INodeChannels
    {
        private static readonly InferenceRoute Route = new(
            AgentPart.DeploymentId, "free", true, "Ready", null, 1, "bench", "free", 2048, 1024, DateTimeOffset.UnixEpoch);

        public InferenceRoute? Find(string model) => model == Route.Name ? Route : null;

        public IReadOnlyList<InferenceRoute> List() => [Route];

        CallInvoker? INodeChannels.Find(string nodeId) => agent;
    }
}
