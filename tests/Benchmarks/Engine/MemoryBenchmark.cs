using System.Globalization;
using System.Text;
using ClusterLlm.ModelFiles;
using ClusterLlm.Protos.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace ClusterLlm.Benchmarks.Engine;

/// <summary>Resident size of agents: idle, and with a third of a model each while they answer.</summary>
internal static class MemoryBenchmark
{
    private const int Nodes = 3;

    public static async Task<int> RunAsync(BenchmarkOptions options)
    {
        var path = Path.GetFullPath(options.Value("model") ?? Path.Combine("..", "shared", "models", "SmolLM2-135M-Instruct-4bit"));
        if (!Directory.Exists(path))
        {
            Console.Error.WriteLine($"The model {path} is not there: name its folder with --model.");
            return 2;
        }

        var model = ModelFolder.Open(path);
        var figures = new SortedDictionary<string, double>(StringComparer.Ordinal);
        var agents = await Task.WhenAll(Enumerable.Range(0, Nodes).Select(rank => AgentProcess.StartAsync($"node-{rank}", Path.GetDirectoryName(path))));
        var channels = agents.Select(agent => GrpcChannel.ForAddress(agent.Url)).ToArray();
        try
        {
            figures["idle agent resident MB"] = agents.Max(agent => agent.ResidentBytes) / 1e6;
            Print($"idle agent: {figures["idle agent resident MB"]:F0} MB resident (aim: below 120)");
            await LaunchAsync(model, agents, channels);
            await AskAsync(channels[0]);
            for (var rank = 0; rank < Nodes; rank++)
            {
                var (first, count) = Layers(model, rank);
                var weights = model.Layout.StageBytes(first, count) / 1e6;
                figures[$"rank {rank} of {Nodes} weights MB"] = weights;
                figures[$"rank {rank} of {Nodes} resident MB"] = agents[rank].ResidentBytes / 1e6;
                figures[$"rank {rank} of {Nodes} resident minus weights MB"] = (agents[rank].ResidentBytes / 1e6) - weights;
                Print($"rank {rank}, layers {first} to {first + count - 1}: weights {weights:F0} MB, resident {agents[rank].ResidentBytes / 1e6:F0} MB (aim: below {weights + 150:F0})");
            }
        }
        finally
        {
            foreach (var (channel, agent) in channels.Zip(agents))
            {
                channel.Dispose();
                await agent.DisposeAsync();
            }
        }

        options.WriteJson(figures);
        return 0;
    }

    private static (int First, int Count) Layers(ModelFolder model, int rank)
    {
        var stage = Nodes - 1 - rank;
        var first = model.Config.LayerCount * stage / Nodes;
        return (first, (model.Config.LayerCount * (stage + 1) / Nodes) - first);
    }

    private static async Task LaunchAsync(ModelFolder model, AgentProcess[] agents, GrpcChannel[] channels)
    {
        await Task.WhenAll(channels.Select(async (channel, rank) =>
        {
            var (first, count) = Layers(model, rank);
            var spec = new ShardSpec
            {
                DeploymentId = "memory",
                Generation = 1,
                Engine = "builtin",
                Model = model.Path,
                Rank = (uint)rank,
                WorldSize = Nodes,
                FirstLayer = (uint)first,
                LayerCount = (uint)count,
                ContextTokens = 1024,
                MaxConcurrency = 4,
                MicroBatches = 1,
            };
            spec.Ranks.AddRange(agents.Select((agent, index) => new RankEndpoint { NodeId = $"node-{index}", Url = agent.Url.ToString() }));
            var client = new ShardService.ShardServiceClient(channel);
            var check = await client.PrepareShardAsync(new PrepareShardRequest { Spec = spec });
            if (!check.Ok)
            {
                throw new InvalidOperationException(string.Join(" ", check.Problems.Select(problem => problem.Message)));
            }

            await client.StartShardAsync(new StartShardRequest { Spec = spec });
            await WaitForReadyAsync(client);
        }));
    }

    private static async Task WaitForReadyAsync(ShardService.ShardServiceClient client)
    {
        using var watch = client.WatchShards(new WatchShardsRequest());
        await foreach (var shardEvent in watch.ResponseStream.ReadAllAsync())
        {
            switch (shardEvent.State?.Phase)
            {
                case ShardPhase.Ready:
                    return;
                case ShardPhase.Failed:
                    throw new InvalidOperationException(shardEvent.State.Reason);
            }
        }
    }

    /// <summary>A prompt of 512 tokens and an answer of 64: every page of the weights is touched and caches have grown.</summary>
    private static async Task AskAsync(GrpcChannel channel)
    {
        var prompt = string.Join(',', Enumerable.Range(0, 512).Select(token => 100 + token));
        var body = $$"""{"prompt":[{{prompt}}],"max_tokens":64,"ignore_eos":true}""";
        using var call = new InferenceService.InferenceServiceClient(channel).Generate(new GenerateRequest
        {
            DeploymentId = "memory",
            RequestId = "memory",
            Kind = RequestKind.Completion,
            Body = ByteString.CopyFrom(Encoding.UTF8.GetBytes(body)),
        });
        await foreach (var generateEvent in call.ResponseStream.ReadAllAsync())
        {
            if (generateEvent.Error is { } error)
            {
                throw new InvalidOperationException(error.Message);
            }
        }
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
