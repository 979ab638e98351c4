using ClusterLlm.NodeAgent.Engines.Builtin;
using ClusterLlm.NodeAgent.Engines.Mlx;
using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Hosting;
using ClusterLlm.NodeAgent.Joining;
using ClusterLlm.NodeAgent.Rpc;
using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.NodeAgent.Shards;
using ClusterLlm.NodeAgent.Telemetry;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.Testing;
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
    /// <summary>One for all tests of a run: the probe's report and the reference answers are found out once.</summary>
    private static readonly Lazy<string> Home = new(() =>
    {
        var folder = Directory.CreateTempSubdirectory("clusterllm-test-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        return folder;
    });

    private readonly WebApplication _app;
    private readonly GrpcChannel _channel;
    private Task? _stopping;

    private MlxAgent(WebApplication app)
    {
        _app = app;
        Url = app.Services.GetRequiredService<AgentEndpoints>().GrpcUrl;
        _channel = TestAuthority.Shared.Channel(Url, NodeId);
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
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Testing" });
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            [ClusterHome.VariableName] = Home.Value,
            ["Node:Id"] = nodeId,
            ["Node:GrpcPort"] = "0",
            ["Engines:Mlx:Python"] = python,
            ["Engines:Mlx:StallTimeout"] = "00:00:30",
            ["Engines:Mlx:DrainTimeout"] = "00:00:00",
        });
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Services.AddSingleton(ClusterHome.From(builder.Configuration));
        builder.AddNodeSettings();
        builder.AddAgentHosting();
        builder.AddHardware();
        builder.AddShards();
        builder.AddMlxEngine();
        builder.AddBuiltinEngine();
        builder.AddNodeTelemetry();
        builder.AddAgentRpc();
        builder.AddJoining();
        TestAuthority.Shared.WriteCredentials(Home.Value, nodeId);
        var app = builder.Build();
        app.UsePeerGate();
        app.MapAgentRpc();
        app.MapMlxEngine();
        app.MapBuiltinEngine();
        await app.StartAsync(cancellationToken);
        return new MlxAgent(app);
    }

    /// <summary>Ends the agent as a signal would.</summary>
    public Task StopAsync() => _stopping ??= _app.StopAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await StopAsync();
        await _app.DisposeAsync();
    }
}
