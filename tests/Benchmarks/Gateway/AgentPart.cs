using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Hosting;
using ClusterLlm.NodeAgent.Joining;
using ClusterLlm.NodeAgent.Rpc;
using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.NodeAgent.Shards;
using ClusterLlm.NodeAgent.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ClusterLlm.Benchmarks.Gateway;

/// <summary>The node agent as it is, but for its engine and for joining: one shard of the free engine is ready when it listens.</summary>
internal static class AgentPart
{
    public const string DeploymentId = "bench";
    public const string NodeId = "bench";

    public static async Task<int> RunAsync(BenchmarkOptions options)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration["Node:Id"] = NodeId;
        builder.Configuration["CLUSTERLLM_HOME"] = options.Value("home")!;
        builder.Configuration["Node:GrpcPort"] = "0";
        builder.AddServiceDefaults();
        builder.Logging.ClearProviders();
        builder.AddNodeSettings();
        builder.AddAgentHosting();
        builder.AddHardware();
        builder.AddShards();
        builder.AddNodeTelemetry();
        builder.AddAgentRpc();
        builder.AddJoining();
        builder.Services.AddSingleton<IEngine, FreeEngine>();
        await using var app = builder.Build();
        app.UsePeerGate();
        app.MapAgentRpc();
        await app.StartAsync();

        var endpoints = app.Services.GetRequiredService<AgentEndpoints>();
        await endpoints.Listening;
        await StartShardAsync(app.Services.GetRequiredService<ShardHost>(), endpoints.GrpcUrl, options.Value("model")!, app.Lifetime.ApplicationStopping);
        GatewayPart.Announce(endpoints.GrpcUrl.GetLeftPart(UriPartial.Authority));
        await app.WaitForShutdownAsync();
        return 0;
    }

    private static async Task StartShardAsync(ShardHost shards, Uri url, string model, CancellationToken cancellationToken)
    {
        var (_, changes) = shards.Subscribe(cancellationToken);
        shards.Start(new ShardSpec(DeploymentId, 1, FreeEngine.EngineName, model, "", 0, 0, 1, 2048, 256, [new ShardRank(NodeId, url)], 1, 0, 0));
        await foreach (var change in changes.WithCancellation(cancellationToken))
        {
            if (change.Phase == ShardPhase.Ready)
            {
                return;
            }

            if (change.HasEnded)
            {
                throw new InvalidOperationException($"The shard of the free engine did not start: {change.Reason}");
            }
        }
    }
}
