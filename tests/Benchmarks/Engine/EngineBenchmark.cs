using System.Diagnostics;
using System.Globalization;
using System.Text;
using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Engines.Builtin.Kernels;
using ClusterLlm.NodeAgent.Engines.Builtin.Threading;

namespace ClusterLlm.Benchmarks.Engine;

/// <summary>Prefill and decode of the builtin engine on one, two and three nodes, for one to eight requests.</summary>
/// <remarks>
/// Every round measures the bandwidth and then each way once, so that whatever else a machine does hits all of them alike; a figure is the
/// median of its rounds, and a share or a ratio is taken within a round before the median is.
/// </remarks>
internal static class EngineBenchmark
{
    private const int ContextTokens = 1024;
    private const int Concurrency = 8;

    // Up to four rows weights are decoded in registers; for more a tile of weights is decoded once for all.
    private static readonly int[] Requests = [1, 2, 4, Concurrency];
    private const int PromptTokens = 512;
    private const int AnswerTokens = 64;
    private const int MostNodes = 3;

    public static async Task<int> RunAsync(BenchmarkOptions options)
    {
        var path = options.Value("model") ?? Path.Combine("..", "shared", "models", "SmolLM2-135M-Instruct-4bit");
        if (!Directory.Exists(path))
        {
            Console.Error.WriteLine($"The model {path} is not there: name its folder with --model.");
            return 2;
        }

        var model = ModelFolder.Open(path);
        var threads = int.Parse(options.Value("threads") ?? "0", CultureInfo.InvariantCulture);
        var rounds = int.Parse(options.Value("rounds") ?? "7", CultureInfo.InvariantCulture);
        using var pool = new ComputePool(threads);
        Print($"{model.Id}, {pool.Workers} threads per node, {KernelSet.Best.Name}, median of {rounds} rounds; nodes are hosts of one process with gRPC over loopback between them");
        var clusters = new List<EngineNodes>();
        try
        {
            for (var nodes = 1; nodes <= Math.Min(MostNodes, model.Config.LayerCount); nodes++)
            {
                clusters.Add(await EngineNodes.StartAsync(model, nodes, ContextTokens, Concurrency, threads));
                await RoundAsync(clusters[^1].RankZero, nodes, new RoundFigures());
            }

            var measured = new List<RoundFigures>();
            for (var round = 0; round < rounds; round++)
            {
                measured.Add(await RoundAsync(clusters, pool, model.Layout.StageBytes(0, model.Config.LayerCount)));
            }

            var figures = Medians(measured);
            Report(figures, clusters.Count);
            options.WriteJson(figures);
            return 0;
        }
        finally
        {
            foreach (var cluster in clusters)
            {
                await cluster.DisposeAsync();
            }
        }
    }

    private static async Task<RoundFigures> RoundAsync(List<EngineNodes> clusters, ComputePool pool, double weightBytes)
    {
        var figures = new RoundFigures { ["read bandwidth GB/s"] = ReadBandwidth.Measure(pool) / 1e9 };
        for (var nodes = 1; nodes <= clusters.Count; nodes++)
        {
            await RoundAsync(clusters[nodes - 1].RankZero, nodes, figures);
            figures[$"decode share of read bandwidth, {nodes} nodes, 1 requests"] =
                figures[Decode(nodes, 1)] * weightBytes / 1e9 / figures["read bandwidth GB/s"];
        }

        figures["decode of three nodes against one"] = figures[Decode(clusters.Count, 1)] / figures[Decode(1, 1)];
        return figures;
    }

    private static async Task RoundAsync(IShard shard, int nodes, RoundFigures figures)
    {
        foreach (var requests in Requests)
        {
            figures[Prefill(nodes, requests)] = await PrefillAsync(shard, requests);
            figures[Decode(nodes, requests)] = await DecodeAsync(shard, requests);
        }
    }

    private static RoundFigures Medians(List<RoundFigures> rounds)
    {
        var medians = new RoundFigures();
        foreach (var name in rounds[0].Keys)
        {
            var values = rounds.Select(round => round[name]).Order().ToArray();
            medians[name] = (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
        }

        return medians;
    }

    private static void Report(RoundFigures figures, int clusters)
    {
        Print($"read bandwidth with the same threads: {figures["read bandwidth GB/s"]:F1} GB/s");
        for (var nodes = 1; nodes <= clusters; nodes++)
        {
            foreach (var requests in Requests)
            {
                Print($"{nodes} node(s), {requests} request(s): prefill {figures[Prefill(nodes, requests)]:F0} tok/s, decode {figures[Decode(nodes, requests)]:F1} tok/s");
            }

            Print($"{nodes} node(s), 1 request: weights read at {figures[$"decode share of read bandwidth, {nodes} nodes, 1 requests"]:P0} of the bandwidth (aim: 30 % on one node)");
        }

        Print($"three nodes decode at {figures["decode of three nodes against one"]:P0} of one node (aim: at least 85 %)");
    }

    private static string Prefill(int nodes, int requests) => $"prefill tok/s, {nodes} nodes, {requests} requests";

    private static string Decode(int nodes, int requests) => $"decode tok/s, {nodes} nodes, {requests} requests";

    /// <returns>Prompt tokens per second until every request has its first token.</returns>
    private static async Task<double> PrefillAsync(IShard shard, int requests)
    {
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, requests).Select(request => AskAsync(shard, PromptTokens, 1, request)));
        return requests * PromptTokens / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <returns>Tokens per second of all requests together, prefill left out.</returns>
    private static async Task<double> DecodeAsync(IShard shard, int requests)
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, requests).Select(request => AskAsync(shard, 16, AnswerTokens, request)));
        return answers.Sum(answer => (answer.CompletionTokens - 1) / answer.Decode.TotalSeconds);
    }

    private static async Task<GenerationEvent.Finished> AskAsync(IShard shard, int promptTokens, int answerTokens, int request)
    {
        var prompt = string.Join(',', Enumerable.Range(0, promptTokens).Select(token => 100 + (((token * 7) + request) % 1000)));
        var body = $$"""{"prompt":[{{prompt}}],"max_tokens":{{answerTokens}},"temperature":0,"ignore_eos":true}""";
        var generation = new GenerationRequest("benchmark", RequestKind.Completion, Encoding.UTF8.GetBytes(body));
        GenerationEvent.Finished? finished = null;
        await foreach (var generationEvent in shard.GenerateAsync(generation, CancellationToken.None))
        {
            finished = generationEvent as GenerationEvent.Finished ?? finished;
        }

        return finished ?? throw new InvalidOperationException("The generation ended without its last event.");
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    /// <summary>Figures by name, in the order of their names.</summary>
    private sealed class RoundFigures() : SortedDictionary<string, double>(StringComparer.Ordinal);
}
