using ClusterLlm.NodeAgent.Engines.Mlx;
using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Hosting;
using ClusterLlm.NodeAgent.Rpc;
using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.NodeAgent.Shards;
using ClusterLlm.NodeAgent.Telemetry;
using ClusterLlm.ServiceDefaults;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx;

/// <summary>A node agent with the mlx engine, listening on a free port, without a Coordinator.</summary>
internal sealed class MlxAgent : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly GrpcChannel _channel;
    private readonly DirectoryInfo _home;

    private MlxAgent(WebApplication app, DirectoryInfo home)
    {
        (_app, _home) = (app, home);
        Url = app.Services.GetRequiredService<AgentEndpoints>().GrpcUrl;
        _channel = GrpcChannel.ForAddress(Url);
        Shards = new Proto.ShardService.ShardServiceClient(_channel);
        Inference = new Proto.InferenceService.InferenceServiceClient(_channel);
        Node = new Proto.NodeService.NodeServiceClient(_channel);
    }

    public Uri Url { get; }

    public string NodeId => _app.Services.GetRequiredService<NodeIdentity>().Id;

    public Proto.ShardService.ShardServiceClient Shards { get; }

    public Proto.InferenceService.InferenceServiceClient Inference { get; }

    public Proto.NodeService.NodeServiceClient Node { get; }

    public IServiceProvider Services => _app.Services;

    public static async Task<MlxAgent> StartAsync(string nodeId, string python, IReadOnlyDictionary<string, string?> settings, CancellationToken cancellationToken)
    {
        var home = Directory.CreateTempSubdirectory("clusterllm-test-");
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Testing" });
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            [ClusterHome.VariableName] = home.FullName,
            ["Node:Id"] = nodeId,
            ["Node:GrpcPort"] = "0",
            ["Engines:Mlx:Python"] = python,
            ["Engines:Mlx:StallTimeout"] = "00:00:30",
        });
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Services.AddSingleton(ClusterHome.From(builder.Configuration));
        builder.AddNodeSettings();
        builder.AddAgentHosting();
        builder.AddHardware();
        builder.AddShards();
        builder.AddMlxEngine();
        builder.AddNodeTelemetry();
        builder.AddAgentRpc();
        var app = builder.Build();
        app.MapAgentRpc();
        app.MapMlxEngine();
        await app.StartAsync(cancellationToken);
        return new MlxAgent(app, home);
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        _home.Delete(recursive: true);
    }
}
