using System.Collections.Immutable;
using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Engines.Builtin;
using ClusterLlm.NodeAgent.Joining;
using ClusterLlm.ServiceDefaults.Security;
using ClusterLlm.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClusterLlm.Benchmarks.Engine;

/// <summary>A model split over nodes that are hosts of one process, each with threads of its own and gRPC over loopback between them.</summary>
internal sealed class EngineNodes : IAsyncDisposable
{
    private readonly List<WebApplication> _hosts = [];
    private IShard[] _shards = [];

    public IShard RankZero => _shards[0];

    public static async Task<EngineNodes> StartAsync(ModelFolder model, int nodes, int contextTokens, int concurrency, int threads)
    {
        var result = new EngineNodes();
        for (var node = 0; node < nodes; node++)
        {
            result._hosts.Add(CreateHost(threads, $"node-{node}"));
            await result._hosts[^1].StartAsync();
        }

        ImmutableArray<ShardRank> ranks =
        [
            .. result._hosts.Select((host, rank) => new ShardRank(
                $"node-{rank}", new Uri(host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()))),
        ];
        result._shards = await Task.WhenAll(ranks.Select((_, rank) =>
        {
            var stage = nodes - 1 - rank;
            var first = model.Config.LayerCount * stage / nodes;
            var end = model.Config.LayerCount * (stage + 1) / nodes;
            var spec = new ShardSpec(
                "benchmark", 1, BuiltinEngine.EngineName, model.Path, "", rank, first, end - first, contextTokens, concurrency, ranks, 1, 0, 0);
            return result._hosts[rank].Services.GetRequiredService<BuiltinEngine>()
                .StartAsync(spec, model, new Progress<ShardProgress>(), CancellationToken.None);
        }));
        return result;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var shard in _shards)
        {
            await shard.DisposeAsync();
        }

        foreach (var host in _hosts)
        {
            await host.DisposeAsync();
        }
    }

    private static WebApplication CreateHost(int threads, string nodeId)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore();
        var credentials = TestAuthority.Shared.Credentials(nodeId);
        builder.WebHost.ConfigureKestrel(kestrel => TestAuthority.Listen(kestrel, credentials));
        builder.Services.AddSingleton(credentials);
        builder.Services.AddSingleton(AgentCallRules.Rules);
        builder.AddBuiltinEngine();
        builder.Services.Configure<BuiltinOptions>(options => options.Threads = threads);
        var app = builder.Build();
        app.UseMiddleware<PeerGate>();
        app.MapBuiltinEngine();
        return app;
    }
}
