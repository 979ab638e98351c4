using System.Text.Json;
using ClusterLlm.NodeAgent.Engines.Mlx;
using ClusterLlm.Testing;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx;

/// <summary>Some agents and what a Coordinator would ask of them.</summary>
internal sealed class MlxCluster(MlxAgent[] agents) : IAsyncDisposable
{
    private uint _generation;

    public IReadOnlyList<MlxAgent> Agents => agents;

    /// <summary>Rewrites the addresses of ranks in specs, for example to those of a <see cref="LinkProxy"/>.</summary>
    public Func<int, Uri, Uri> Address { get; set; } = (_, url) => url;

    public static Task<MlxCluster> StartAsync(int nodes, CancellationToken cancellationToken, params (string Key, string? Value)[] settings) =>
        StartAsync([.. Enumerable.Range(0, nodes).Select(_ => settings)], cancellationToken);

    /// <param name="settings">Of each node, over the usual ones.</param>
    public static async Task<MlxCluster> StartAsync((string Key, string? Value)[][] settings, CancellationToken cancellationToken)
    {
        var python = MlxPython.Require();
        var agents = new List<MlxAgent>();
        foreach (var own in settings)
        {
            agents.Add(await MlxAgent.StartAsync($"node-{agents.Count + 1}", python, own.ToDictionary(setting => setting.Key, setting => setting.Value), cancellationToken));
        }

        return new MlxCluster([.. agents]);
    }

    /// <summary>Prepares and starts a model on the first agents, in the order of ranks, and waits until all are ready.</summary>
    /// <param name="cuts">[first, end) of each rank; rank 0 has the last layers.</param>
    /// <param name="engine">Also the deployment's id.</param>
    /// <exception cref="ClusterStartException">A rank refused or failed.</exception>
    public async Task<string> LaunchAsync(string model, (int First, int End)[] cuts, CancellationToken cancellationToken, int contextTokens = 512, int concurrency = 4, string engine = MlxEngine.EngineName)
    {
        var specs = Specs(model, cuts, contextTokens, concurrency, engine);
        var refusals = new List<string>();
        for (var rank = 0; rank < specs.Length; rank++)
        {
            var prepared = await agents[rank].Shards.PrepareShardAsync(new Proto.PrepareShardRequest { Spec = specs[rank] }, cancellationToken: cancellationToken);
            refusals.AddRange(prepared.Problems.Select(problem => problem.Message));
        }

        if (refusals.Count > 0)
        {
            throw new ClusterStartException(string.Join(" ", refusals));
        }

        return await StartAsync(specs, cancellationToken);
    }

    /// <summary>Phase two alone.</summary>
    public async Task<string> StartAsync(Proto.ShardSpec[] specs, CancellationToken cancellationToken)
    {
        for (var rank = 0; rank < specs.Length; rank++)
        {
            await agents[rank].Shards.StartShardAsync(new Proto.StartShardRequest { Spec = specs[rank] }, cancellationToken: cancellationToken);
        }

        await foreach (var state in Task.WhenEach(specs.Select((spec, rank) => WaitAsync(rank, spec.DeploymentId, Proto.ShardPhase.Ready, cancellationToken))))
        {
            if ((await state) is { Phase: not Proto.ShardPhase.Ready } failed)
            {
                // As a Coordinator does: one rank that fails ends the group.
                await StopAsync(cancellationToken);
                throw new ClusterStartException(failed.Reason);
            }
        }

        return specs[0].DeploymentId;
    }

    public Proto.ShardSpec[] Specs(string model, (int First, int End)[] cuts, int contextTokens, int concurrency, string engine = MlxEngine.EngineName, string? deployment = null)
    {
        // Only starts of the deployment that tests follow count.
        var generation = deployment is null ? ++_generation : 1;
        return [.. cuts.Select((cut, rank) =>
        {
            var spec = new Proto.ShardSpec
            {
                DeploymentId = deployment ?? engine,
                Generation = generation,
                Engine = engine,
                Model = model,
                Rank = (uint)rank,
                WorldSize = (uint)cuts.Length,
                FirstLayer = (uint)cut.First,
                LayerCount = (uint)(cut.End - cut.First),
                ContextTokens = (uint)contextTokens,
                MaxConcurrency = (uint)concurrency,
                MicroBatches = 1,
            };
            spec.Ranks.AddRange(agents.Take(cuts.Length).Select((agent, index) => new Proto.RankEndpoint { NodeId = agent.NodeId, Url = Address(index, agent.Url).ToString() }));
            return spec;
        })];
    }

    /// <summary>Waits for a phase, or for one that a shard does not leave any more.</summary>
    public async Task<Proto.ShardState> WaitAsync(int rank, string deploymentId, Proto.ShardPhase phase, CancellationToken cancellationToken)
    {
        using var watch = agents[rank].Shards.WatchShards(new Proto.WatchShardsRequest(), cancellationToken: cancellationToken);
        await foreach (var happening in watch.ResponseStream.ReadAllAsync(cancellationToken))
        {
            if (happening.State is { } state && state.DeploymentId == deploymentId && state.Generation == _generation
                && (state.Phase == phase || state.Phase is Proto.ShardPhase.Failed or Proto.ShardPhase.Stopped))
            {
                return state;
            }
        }

        throw new ClusterStartException($"The agent of rank {rank} ended its stream.");
    }

    /// <summary>Answers of rank 0 to an OpenAI body.</summary>
    public Task<MlxAnswer> AskAsync(object body, CancellationToken cancellationToken, Proto.RequestKind kind = Proto.RequestKind.Completion) =>
        AskAsync(JsonSerializer.SerializeToUtf8Bytes(body), cancellationToken, kind);

    public async Task<MlxAnswer> AskAsync(
        byte[] body, CancellationToken cancellationToken, Proto.RequestKind kind = Proto.RequestKind.Completion, string deployment = MlxEngine.EngineName)
    {
        var answer = new MlxAnswer();
        using var call = Call(body, cancellationToken, kind, deployment);
        await foreach (var happening in call.ResponseStream.ReadAllAsync(cancellationToken))
        {
            answer.Add(happening);
        }

        return answer;
    }

    public AsyncServerStreamingCall<Proto.GenerateEvent> Call(
        byte[] body,
        CancellationToken cancellationToken,
        Proto.RequestKind kind = Proto.RequestKind.Completion,
        string deployment = MlxEngine.EngineName,
        Metadata? headers = null) => agents[0].Inference.Generate(
            new Proto.GenerateRequest { DeploymentId = deployment, RequestId = Guid.NewGuid().ToString("N"), Kind = kind, Body = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(body) },
            headers,
            cancellationToken: cancellationToken);

    /// <summary>Ends the deployment on all agents.</summary>
    public Task StopAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(Enumerable.Range(0, agents.Length).Select(rank => StopOnAsync(rank, cancellationToken)));

    /// <summary>Changes settings of all agents for later starts.</summary>
    public void SetOptions(Action<MlxOptions> change)
    {
        foreach (var agent in agents)
        {
            change(agent.Services.GetRequiredService<IOptions<MlxOptions>>().Value);
        }
    }

    /// <summary>Ends the deployment on the agent of one rank.</summary>
    public async Task StopOnAsync(int rank, CancellationToken cancellationToken) =>
        await agents[rank].Shards.StopShardAsync(new Proto.StopShardRequest { DeploymentId = MlxEngine.EngineName }, cancellationToken: cancellationToken);

    /// <summary>The process of a rank.</summary>
    public int ProcessOf(int rank) => agents[rank].Services.GetRequiredService<MlxEngine>().RunningProcesses.Single();

    /// <summary>Of all agents.</summary>
    public IEnumerable<int> RunningProcesses => agents.SelectMany(agent => agent.Services.GetRequiredService<MlxEngine>().RunningProcesses);

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in agents)
        {
            await agent.DisposeAsync();
        }
    }
}

/// <summary>A deployment that did not start; the message has the agents' reasons.</summary>
internal sealed class ClusterStartException(string message) : Exception(message);
