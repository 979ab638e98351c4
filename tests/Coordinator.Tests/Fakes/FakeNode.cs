using ClusterLlm.Coordinator.Tests.Inference.Fakes;
using ClusterLlm.Protos.V1;
using ClusterLlm.ServiceDefaults.Security;
using ClusterLlm.Testing;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClusterLlm.Coordinator.Tests.Fakes;

/// <summary>An agent on a real loopback socket that loads nothing: tests say what it has and how its shards do.</summary>
internal sealed class FakeNode : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeNode(WebApplication app, string nodeId, ClusterCredentials credentials)
    {
        _app = app;
        NodeId = nodeId;
        Credentials = credentials;
    }

    /// <summary>Empty until it joins: it answers nobody then.</summary>
    public ClusterCredentials Credentials { get; }

    public string NodeId { get; }

    public string InstanceId { get; } = Guid.NewGuid().ToString("N");

    public string Url => _app.Urls.Single();

    public long MemoryUsableBytes { get; init; } = 1L << 30;

    /// <summary>Told when it joins.</summary>
    public string EngineVersion { get; set; } = "0";

    public List<ModelDescription> Models { get; } = [];

    public List<ModelProblem> ModelProblems { get; } = [];

    public FakeShards Shards { get; } = new();

    /// <summary>What it answers to <c>Generate</c>.</summary>
    public AgentScript Script { get; set; } = Answers.Text("Hello", " from", " the cluster.");

    /// <summary>How often the Coordinator asked for the whole inventory.</summary>
    public int InventoriesAsked => _inventoriesAsked;

    private int _inventoriesAsked;

    public CancellationToken Stopping => _app.Lifetime.ApplicationStopping;

    public static async Task<FakeNode> StartAsync(string nodeId, CancellationToken cancellationToken, params ModelDescription[] models)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var credentials = new ClusterCredentials(TimeProvider.System);
        builder.WebHost.ConfigureKestrel(kestrel => TestAuthority.Listen(kestrel, credentials));
        builder.Services.AddGrpc();
        var holder = new Holder();
        builder.Services.AddSingleton(holder);
        var app = builder.Build();
        app.MapGrpcService<Node>();
        app.MapGrpcService<ModelStore>();
        app.MapGrpcService<Shard>();
        app.MapGrpcService<Generator>();
        var node = new FakeNode(app, nodeId, credentials);
        node.Models.AddRange(models);
        holder.Node = node;
        await app.StartAsync(cancellationToken);
        return node;
    }

    public JoinRequest JoinRequest() => new()
    {
        InstanceId = InstanceId,
        Node = new NodeDescription
        {
            NodeId = NodeId,
            DisplayName = $"Fake {NodeId}",
            Chip = "Fake chip",
            CpuCores = 4,
            MemoryTotalBytes = 2UL * (ulong)MemoryUsableBytes,
            MemoryUsableBytes = (ulong)MemoryUsableBytes,
            MachineId = "fake-machine",
            Engines = { new EngineDescription { Name = "builtin", Version = EngineVersion, Available = true, ModelTypes = { "llama" } } },
            Addresses = { new NodeAddress { Url = Url, Kind = LinkKind.Loopback } },
        },
    };

    /// <summary>Ends the agent as a crash does: no goodbye, connections cut.</summary>
    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private sealed class Holder
    {
        public FakeNode Node { get; set; } = null!;
    }

    private sealed class Node(Holder holder) : NodeService.NodeServiceBase
    {
        public override async Task WatchTelemetry(
            WatchTelemetryRequest request, IServerStreamWriter<NodeTelemetry> responseStream, ServerCallContext context)
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, holder.Node.Stopping);
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(Math.Max(100, request.IntervalMs)));
            do
            {
                await responseStream.WriteAsync(
                    new NodeTelemetry
                    {
                        NodeId = holder.Node.NodeId,
                        MemoryTotalBytes = 2UL * (ulong)holder.Node.MemoryUsableBytes,
                        MemoryUsableBytes = (ulong)holder.Node.MemoryUsableBytes,
                        DecodeTokensPerSecond = 10,
                    },
                    end.Token);
            }
            while (await timer.WaitForNextTickAsync(end.Token));
        }
    }

    private sealed class ModelStore(Holder holder) : ModelService.ModelServiceBase
    {
        public override Task<ModelInventory> ListModels(ListModelsRequest request, ServerCallContext context)
        {
            Interlocked.Increment(ref holder.Node._inventoriesAsked);
            return Task.FromResult(new ModelInventory
            {
                NodeId = holder.Node.NodeId,
                Models = { holder.Node.Models },
                Problems = { holder.Node.ModelProblems },
            });
        }

        public override Task<ModelDescription> InspectModel(InspectModelRequest request, ServerCallContext context) =>
            holder.Node.Models.FirstOrDefault(model => model.Path == request.Model || model.ModelId == request.Model) is { } found
                ? Task.FromResult(found)
                : throw new RpcException(new Status(StatusCode.NotFound, $"No folder {request.Model}."));
    }

    private sealed class Generator(Holder holder) : InferenceService.InferenceServiceBase
    {
        public override Task Generate(GenerateRequest request, IServerStreamWriter<GenerateEvent> responseStream, ServerCallContext context) =>
            holder.Node.Script(request, responseStream, context.CancellationToken);
    }

    private sealed class Shard(Holder holder) : ShardService.ShardServiceBase
    {
        public override Task<PrepareShardResponse> PrepareShard(PrepareShardRequest request, ServerCallContext context) =>
            Task.FromResult(holder.Node.Shards.Prepare(request.Spec));

        public override Task<StartShardResponse> StartShard(StartShardRequest request, ServerCallContext context)
        {
            holder.Node.Shards.Start(request.Spec);
            return Task.FromResult(new StartShardResponse());
        }

        public override Task<StopShardResponse> StopShard(StopShardRequest request, ServerCallContext context) =>
            Task.FromResult(new StopShardResponse { Stopped = holder.Node.Shards.Stop(request.DeploymentId, request.Generation) });

        public override async Task WatchShards(
            WatchShardsRequest request, IServerStreamWriter<ShardEvent> responseStream, ServerCallContext context)
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, holder.Node.Stopping);
            await foreach (var message in holder.Node.Shards.WatchAsync(end.Token))
            {
                await responseStream.WriteAsync(message, end.Token);
            }
        }
    }
}
