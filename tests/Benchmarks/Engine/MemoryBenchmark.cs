using System.Globalization;
using System.Text;
using ClusterLlm.ModelFiles;
using ClusterLlm.Protos.V1;
using Google.Protobuf;
using Grpc.Core;
using ClusterLlm.Testing;
using Grpc.Net.Client;

namespace ClusterLlm.Benchmarks.Engine;

/// <summary>Resident size of agents: idle, and with a third of a model each: loaded, and after an answer.</summary>
internal static class MemoryBenchmark
{
    private const int Nodes = 3;
    private const int PromptTokens = 512;
    private const int AnswerTokens = 64;

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
        var channels = agents.Select((agent, rank) => TestAuthority.Shared.Channel(agent.Url, $"node-{rank}")).ToArray();
        try
        {
            figures["idle agent resident MB"] = agents.Max(agent => agent.ResidentBytes) / 1e6;
            Print($"idle agent: {figures["idle agent resident MB"]:F0} MB resident (aim: below 120)");
            await LaunchAsync(model, agents, channels);
            var aim = (new FileInfo(Path.Combine(path, "model.safetensors")).Length / Nodes / 1e6) + 150;
            Report(model, agents, "loaded", aim, figures);
            await AskAsync(channels[0]);
            Report(model, agents, $"after {PromptTokens + AnswerTokens} tokens, their cache included", aim, figures);
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

    private static void Report(ModelFolder model, AgentProcess[] agents, string when, double aim, SortedDictionary<string, double> figures)
    {
        for (var rank = 0; rank < Nodes; rank++)
        {
            var (first, count) = Layers(model, rank);
            var weights = model.Layout.StageBytes(first, count) / 1e6;
            var resident = agents[rank].ResidentBytes / 1e6;
            figures[$"rank {rank} of {Nodes} weights MB"] = weights;
            figures[$"rank {rank} of {Nodes} resident MB, {when}"] = resident;
            figures[$"rank {rank} of {Nodes} resident minus weights MB, {when}"] = resident - weights;
            Print($"rank {rank}, layers {first} to {first + count - 1}: weights {weights:F0} MB, resident {resident:F0} MB {when} (aim: below {aim:F0})");
        }
    }

    /// <summary>Thirds by bytes, as the planner cuts for three equal nodes: the embedding and the head weigh as much as twelve layers.</summary>
    private static (int First, int Count) Layers(ModelFolder model, int rank)
    {
        var layers = model.Config.LayerCount;
        var (first, second) =
            (from one in Enumerable.Range(1, layers - 2)
             from two in Enumerable.Range(one + 1, layers - 1 - one)
             select (First: one, Second: two)).MinBy(cut => Largest(model, cut));
        return rank switch
        {
            0 => (second, layers - second),
            1 => (first, second - first),
            _ => (0, first),
        };
    }

    private static long Largest(ModelFolder model, (int First, int Second) cut) => Math.Max(
        model.Layout.StageBytes(0, cut.First),
        Math.Max(
            model.Layout.StageBytes(cut.First, cut.Second - cut.First),
            model.Layout.StageBytes(cut.Second, model.Config.LayerCount - cut.Second)));

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

    /// <summary>Every page of the weights is touched and caches have grown.</summary>
    private static async Task AskAsync(GrpcChannel channel)
    {
        var prompt = string.Join(',', Enumerable.Range(0, PromptTokens).Select(token => 100 + token));
        var body = $$"""{"prompt":[{{prompt}}],"max_tokens":{{AnswerTokens}},"ignore_eos":true}""";
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
