using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.Testing;

namespace ClusterLlm.Benchmarks.Gateway;

/// <summary>
/// What gateway and agent add to a token, and how many tokens they pass. Gateway, agent and client are three processes on loopback, with the code that
/// runs in production and an engine that costs nothing; they share the machine's cores, so the client's own work is part of every figure.
/// </summary>
internal static class GatewayBenchmark
{
    private const int WarmUpTokens = 3000;
    private const int FirstTokenRequests = 200;

    private static readonly ImmutableArray<int> Streams = [1, 32, 200];

    public static async Task<int> RunAsync(BenchmarkOptions options)
    {
        var model = options.Value("model") ?? DemoModel();
        var home = Directory.CreateTempSubdirectory("clusterllm-benchmark-").FullName;
        TestAuthority.Shared.WriteCredentials(home, AgentPart.NodeId);
        TestAuthority.Shared.Write(CoordinatorPart.Credentials(home), nodeId: null);
        await using var agent = await GatewayPart.StartAsync(GatewayPart.Agent, "--model", model, "--home", home);
        await using var gateway = await GatewayPart.StartAsync(
            GatewayPart.Coordinator, "--agent", agent.Url.ToString(), "--node", AgentPart.NodeId, "--home", home);
        using var channel = TestAuthority.Shared.Channel(agent.Url, AgentPart.NodeId);
        using var client = new HttpClient { BaseAddress = gateway.Url };
        await using var shard = new FreeShard(new ShardSpec("e", 1, FreeEngine.EngineName, model, "", 0, 0, 1, 2048, 256, [], 1, 0, 0));
        (string Name, ILoad Load)[] ways =
        [
            ("engine", new EngineLoad(shard)),
            ("agent", new AgentLoad(new Protos.V1.InferenceService.InferenceServiceClient(channel))),
            ("gateway+agent", new GatewayLoad(client)),
        ];

        var figures = new SortedDictionary<string, double>(StringComparer.Ordinal);
        Print($"{Environment.ProcessorCount} cores; client, gateway and agent are three processes on loopback; engine that costs nothing");
        foreach (var (name, load) in ways)
        {
            await load.RunAsync(WarmUpTokens, 0);
            await MeasureFirstTokenAsync(name, load, figures);
        }

        await MeasurePacedAsync(ways, figures);
        await MeasurePassedAsync(ways, figures);
        figures["gateway resident MB"] = gateway.ResidentBytes / 1e6;
        figures["agent resident MB"] = agent.ResidentBytes / 1e6;
        Print($"resident: gateway {figures["gateway resident MB"]:F0} MB, agent {figures["agent resident MB"]:F0} MB");
        options.WriteJson(figures);
        return 0;
    }

    private static async Task MeasureFirstTokenAsync(string name, ILoad load, SortedDictionary<string, double> figures)
    {
        var times = new List<double>(FirstTokenRequests);
        for (var request = 0; request < FirstTokenRequests; request++)
        {
            times.Add((await load.RunAsync(1, 0)).FirstToken.TotalMilliseconds);
        }

        Report(figures, $"{name}: time to first token", times);
    }

    /// <summary>Tokens come at a model's pace, so every one is sent alone: what the way adds to each.</summary>
    private static async Task MeasurePacedAsync((string Name, ILoad Load)[] ways, SortedDictionary<string, double> figures)
    {
        // 100 tok/s for one stream, 10 tok/s each for many: at 200 streams 2000 tok/s in all.
        const int Seconds = 3;
        foreach (var streams in Streams)
        {
            var pace = streams == 1 ? 10 : 100;
            foreach (var (name, load) in ways)
            {
                var (results, _) = await RunAsync(load, streams, Seconds * 1000 / pace, pace);
                Report(figures, $"{name}: added per token, {streams} paced streams", [.. results.SelectMany(result => result.Travel.Skip(1))]);
            }
        }
    }

    /// <summary>Tokens come as fast as they are taken: how many pass in all.</summary>
    private static async Task MeasurePassedAsync((string Name, ILoad Load)[] ways, SortedDictionary<string, double> figures)
    {
        const int Tokens = 40_000;
        foreach (var streams in Streams)
        {
            foreach (var (name, load) in ways)
            {
                var (results, elapsed) = await RunAsync(load, streams, Tokens / streams, 0);
                var rate = results.Sum(result => result.Travel.Count) / elapsed.TotalSeconds;
                figures[$"{name}: tok/s passed, {streams} streams"] = rate;
                Print($"{name}: {rate:F0} tok/s passed with {streams} streams");
            }
        }
    }

    private static async Task<(StreamResult[] Results, TimeSpan Elapsed)> RunAsync(ILoad load, int streams, int tokens, int pace)
    {
        var started = Stopwatch.GetTimestamp();
        var results = await Task.WhenAll(Enumerable.Range(0, streams).Select(index => Task.Run(async () =>
        {
            // Spread over one interval: tokens of independent requests don't come all at the same moment.
            await Task.Delay(TimeSpan.FromMilliseconds((double)pace * index / streams), TimeProvider.System, CancellationToken.None);
            return await load.RunAsync(tokens, pace);
        })));
        return (results, Stopwatch.GetElapsedTime(started));
    }

    private static void Report(SortedDictionary<string, double> figures, string name, List<double> milliseconds)
    {
        milliseconds.Sort();
        var (median, tail) = (milliseconds[milliseconds.Count / 2], milliseconds[(int)((milliseconds.Count - 1) * 0.99)]);
        figures[$"{name}, p50 ms"] = median;
        figures[$"{name}, p99 ms"] = tail;
        Print($"{name}: p50 {median:F3} ms, p99 {tail:F3} ms");
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    /// <summary>Only its header is read: an agent loads nothing without a model.</summary>
    private static string DemoModel()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (Path.Combine(folder.FullName, "samples", "demo-3m") is var model && Directory.Exists(model))
            {
                return model;
            }
        }

        throw new DirectoryNotFoundException("samples/demo-3m is not above this program: name a model folder with --model.");
    }
}
