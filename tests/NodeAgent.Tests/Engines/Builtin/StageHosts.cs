using System.Collections.Immutable;
using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Engines.Builtin;
using ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;
using ClusterLlm.NodeAgent.Joining;
using ClusterLlm.ServiceDefaults.Security;
using ClusterLlm.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClusterLlm.NodeAgent.Tests.Engines.Builtin;

/// <summary>How stages reach each other in a test.</summary>
public enum StageTransport
{
    /// <summary>All stages in one host, work handed over as objects.</summary>
    InProcess,

    /// <summary>A host per stage, real HTTP/2 on loopback ports that the system picks.</summary>
    Grpc,
}

/// <summary>A model split over stages, each with the engine of its own host.</summary>
internal sealed class StageHosts : IAsyncDisposable
{
    private readonly List<WebApplication> _hosts = [];

    private StageHosts()
    {
    }

    /// <summary>By rank: 0 is the last stage.</summary>
    public IShard[] Shards { get; private set; } = [];

    public IShard RankZero => Shards[0];

    public IServiceProvider Services(int rank) => _hosts[Math.Min(rank, _hosts.Count - 1)].Services;

    /// <summary>Ends one rank's host without a goodbye to its neighbours.</summary>
    public Task KillAsync(int rank) => _hosts[rank].DisposeAsync().AsTask();

    public static async Task<StageHosts> StartAsync(HostedModel model, CancellationToken cancellationToken)
    {
        var result = new StageHosts();
        try
        {
            await result.StartHostsAsync(model, cancellationToken);
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
        foreach (var shard in Shards)
        {
            await shard.DisposeAsync();
        }

        foreach (var host in _hosts)
        {
            await host.DisposeAsync();
        }
    }

    private async Task StartHostsAsync(HostedModel model, CancellationToken cancellationToken)
    {
        var hostCount = model.Transport == StageTransport.Grpc ? model.Layers.Length : 1;
        for (var index = 0; index < hostCount; index++)
        {
            _hosts.Add(CreateHost(model, $"node-{index}"));
            await _hosts[^1].StartAsync(cancellationToken);
        }

        var folder = ModelFolder.Open(model.Path);
        var ranks = Enumerable.Range(0, model.Layers.Length).Select(rank => new ShardRank($"node-{rank}", Address(_hosts[Math.Min(rank, hostCount - 1)]))).ToImmutableArray();
        Shards = await Task.WhenAll(model.Specs(ranks).Select(spec =>
            Services(spec.Rank).GetRequiredService<BuiltinEngine>().StartAsync(spec, folder, new Progress<ShardProgress>(), cancellationToken)));
    }

    private static WebApplication CreateHost(HostedModel model, string nodeId)
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
        builder.Services.Configure<BuiltinOptions>(options =>
        {
            options.Threads = model.Threads;
            options.NeighbourTimeout = TimeSpan.FromSeconds(30);
        });
        if (model.Transport == StageTransport.InProcess)
        {
            builder.Services.AddSingleton<IStageConnector, InProcessConnector>();
        }

        var app = builder.Build();
        app.UseMiddleware<PeerGate>();
        app.MapBuiltinEngine();
        return app;
    }

    private static Uri Address(WebApplication host) =>
        new(host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
}

/// <summary>A model and how a test runs it.</summary>
/// <param name="Layers">Layers per stage, in stage order.</param>
internal sealed record HostedModel(string Path, int[] Layers)
{
    public StageTransport Transport { get; init; } = StageTransport.InProcess;

    public int Context { get; init; } = 256;

    public int Concurrency { get; init; } = 4;

    public int Chunk { get; init; } = 128;

    public int MicroBatches { get; init; } = 1;

    public int Threads { get; init; } = 2;

    public IEnumerable<ShardSpec> Specs(ImmutableArray<ShardRank> ranks)
    {
        for (var rank = 0; rank < ranks.Length; rank++)
        {
            var stage = ranks.Length - 1 - rank;
            yield return new ShardSpec(
                "deployment", 1, "builtin", Path, "", rank, Layers.Take(stage).Sum(), Layers[stage], Context, Concurrency, ranks, MicroBatches, Chunk, 0);
        }
    }
}
