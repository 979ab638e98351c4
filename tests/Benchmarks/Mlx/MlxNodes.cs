using System.Globalization;
using ClusterLlm.NodeAgent.Engines.Mlx;
using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Hosting;
using ClusterLlm.NodeAgent.Joining;
using ClusterLlm.NodeAgent.Rpc;
using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.NodeAgent.Shards;
using ClusterLlm.NodeAgent.Telemetry;
using ClusterLlm.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodeShard = ClusterLlm.NodeAgent.Engines.ShardSpec;
using NodeShardRank = ClusterLlm.NodeAgent.Engines.ShardRank;

namespace ClusterLlm.Benchmarks.Mlx;

/// <summary>A model split over agents that are hosts of this process; the ranks are processes of their own.</summary>
internal sealed class MlxNodes : IAsyncDisposable
{
    public const string DeploymentId = "bench";

    private readonly List<WebApplication> _agents = [];

    /// <summary>gRPC address of the agent of rank 0.</summary>
    public Uri AgentUrl => Url(_agents[0]);

    /// <summary>Rank 0's shard, without gRPC.</summary>
    public NodeAgent.Engines.IShard Shard => _agents[0].Services.GetRequiredService<ShardHost>().FindServing(DeploymentId);

    /// <summary>Where rank 0's process itself answers.</summary>
    public int EnginePort => ((MlxShard)Shard).ServerPort;

    /// <summary>Of all ranks.</summary>
    public IEnumerable<int> RankProcesses => _agents.SelectMany(agent => agent.Services.GetRequiredService<MlxEngine>().RunningProcesses);

    public static async Task<MlxNodes> StartAsync(string model, int layers, int nodes, string python, MlxTransport transport, string home)
    {
        var result = new MlxNodes();
        try
        {
            for (var node = 0; node < nodes; node++)
            {
                result._agents.Add(await StartAgentAsync(node, python, transport, home));
            }

            await Task.WhenAll(Specs(result._agents, model, layers)
                .Select(spec => StartShardAsync(result._agents[spec.Rank].Services.GetRequiredService<ShardHost>(), spec)));
            return result;
        }
        catch
        {
            await result.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents)
        {
            await agent.StopAsync();
            await agent.DisposeAsync();
        }
    }

    /// <summary>Uneven: the first stage has a third more than its share.</summary>
    private static IEnumerable<NodeShard> Specs(List<WebApplication> agents, string model, int layers)
    {
        var nodes = agents.Count;
        int[] ends = [.. Enumerable.Range(0, nodes).Select(stage => stage == nodes - 1 ? layers : layers * (stage + 1) / nodes + (layers / nodes / 3))];
        NodeShardRank[] ranks = [.. agents.Select((agent, rank) => new NodeShardRank(NodeId(rank), Url(agent)))];
        return Enumerable.Range(0, nodes).Select(rank =>
        {
            var stage = nodes - 1 - rank;
            var first = stage == 0 ? 0 : ends[stage - 1];
            return new NodeShard(DeploymentId, 1, MlxEngine.EngineName, model, "", rank, first, ends[stage] - first, 1024, 4, [.. ranks], 1, 0, 0);
        });
    }

    private static async Task<WebApplication> StartAgentAsync(int node, string python, MlxTransport transport, string home)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["CLUSTERLLM_HOME"] = home,
            ["Node:Id"] = NodeId(node),
            ["Node:GrpcPort"] = "0",
            ["Engines:Mlx:Python"] = python,
            ["Engines:Mlx:Transport"] = transport.ToString(),
            ["Engines:Mlx:DirectAddress"] = "127.0.0.1",
            // The gate has its own tests; here it would only start one more process.
            ["Engines:Mlx:Reference"] = "Off",
            // Ranks that share few cores are slow, not stalled.
            ["Engines:Mlx:StallTimeout"] = "00:10:00",
        });
        builder.AddServiceDefaults();
        builder.Logging.ClearProviders();
        builder.AddNodeSettings();
        builder.AddAgentHosting();
        builder.AddHardware();
        builder.AddShards();
        builder.AddMlxEngine();
        builder.AddNodeTelemetry();
        builder.AddAgentRpc();
        builder.AddJoining();
        TestAuthority.Shared.WriteCredentials(home, NodeId(node));
        var app = builder.Build();
        app.UsePeerGate();
        app.MapAgentRpc();
        app.MapMlxEngine();
        await app.StartAsync();
        return app;
    }

    private static async Task StartShardAsync(ShardHost shards, NodeShard spec)
    {
        var (_, changes) = shards.Subscribe(CancellationToken.None);
        shards.Start(spec);
        await foreach (var change in changes)
        {
            if (change.Phase == ShardPhase.Ready)
            {
                return;
            }

            if (change.HasEnded)
            {
                throw new InvalidOperationException($"Rank {spec.Rank} did not start: {change.Reason}");
            }
        }
    }

    public static string NodeId(int rank) => string.Create(CultureInfo.InvariantCulture, $"node-{rank}");

    private static Uri Url(WebApplication agent) => agent.Services.GetRequiredService<AgentEndpoints>().GrpcUrl;
}
