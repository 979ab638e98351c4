using System.Diagnostics;
using System.Globalization;
using System.Text;
using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Engines.Builtin.Kernels;
using ClusterLlm.NodeAgent.Engines.Builtin.Threading;

namespace ClusterLlm.Benchmarks.Engine;

/// <summary>Prefill and decode of the builtin engine on one, two and three nodes, for one and for eight requests.</summary>
internal static class EngineBenchmark
{
    private const int ContextTokens = 1024;
    private const int Concurrency = 8;
    private const int PromptTokens = 512;
    private const int AnswerTokens = 64;

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
        var figures = new SortedDictionary<string, double>(StringComparer.Ordinal);
        using (var pool = new ComputePool(threads))
        {
            figures["read bandwidth GB/s"] = ReadBandwidth.Measure(pool) / 1e9;
            Print($"{model.Id}, {pool.Workers} threads per node, {KernelSet.Best.Name}; nodes are hosts of one process with gRPC over loopback between them");
            Print($"read bandwidth with the same threads: {figures["read bandwidth GB/s"]:F1} GB/s");
        }

        var weightBytes = (double)model.Layout.StageBytes(0, model.Config.LayerCount);
        for (var nodes = 1; nodes <= Math.Min(3, model.Config.LayerCount); nodes++)
        {
            await MeasureAsync(model, nodes, threads, weightBytes, figures);
        }

        Print($"three nodes decode at {figures["decode tok/s, 3 nodes, 1 requests"] / figures["decode tok/s, 1 nodes, 1 requests"]:P0} of one node");
        options.WriteJson(figures);
        return 0;
    }

    private static async Task MeasureAsync(ModelFolder model, int nodes, int threads, double weightBytes, SortedDictionary<string, double> figures)
    {
        await using var cluster = await EngineNodes.StartAsync(model, nodes, ContextTokens, Concurrency, threads);
        await AskAsync(cluster.RankZero, 16, 8, 0);
        foreach (var requests in new[] { 1, Concurrency })
        {
            var prefill = await PrefillAsync(cluster.RankZero, requests);
            var decode = await DecodeAsync(cluster.RankZero, requests);
            var share = decode / requests * weightBytes / 1e9 / figures["read bandwidth GB/s"];
            figures[$"prefill tok/s, {nodes} nodes, {requests} requests"] = prefill;
            figures[$"decode tok/s, {nodes} nodes, {requests} requests"] = decode;
            figures[$"decode share of read bandwidth, {nodes} nodes, {requests} requests"] = share;
            Print($"{nodes} node(s), {requests} request(s): prefill {prefill:F0} tok/s, decode {decode:F1} tok/s, weights read at {share:P0} of the bandwidth");
        }
    }

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
}
