using System.Diagnostics;
using System.Globalization;
using ClusterLlm.Benchmarks.Gateway;
using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Mlx;
using ClusterLlm.NodeAgent.Engines.Mlx.Requests;
using ClusterLlm.Protos.V1;
using ClusterLlm.Testing;

namespace ClusterLlm.Benchmarks.Mlx;

/// <summary>
/// Real MLX on one, two and three ranks: decode and time to first token directly at the engine, through the agent, and through gateway and agent; and
/// the tunnel against a direct ring. All of it on one machine: the ranks share its cores, so the figures compare ways, not cluster sizes. A small model shows
/// what the ways cost, because its own steps are short; a real one shows what of it is left to see.
/// </summary>
internal static class MlxBenchmark
{
    private const double AimGatewayMs = 1;
    private const double AimHopUs = 300;

    /// <summary>Below this a median of differences says more of the machine's other work than of the way.</summary>
    private const int LeastRounds = 5;

    /// <summary>For the answers of one group: all parts together end within some ten minutes.</summary>
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(45);

    private static readonly MlxLoad Small = new("small", Rounds: 15, Tokens: 48, EveryWay: true);
    private static readonly MlxLoad Real = new("real", Rounds: 5, Tokens: 12, EveryWay: false);

    public static async Task<int> RunAsync(BenchmarkOptions options)
    {
        var small = options.Value("small-model") ?? Path.Combine("samples", "demo-3m");
        var real = options.Value("model") ?? Path.Combine("..", "shared", "models", "SmolLM2-135M-Instruct-4bit");
        var python = options.Value("python") ?? Path.Combine("artifacts", "mlx-python", "bin", "python");
        if (!Directory.Exists(small) || !Directory.Exists(real) || !File.Exists(python))
        {
            Console.Error.WriteLine($"The model {small} or {real} or the Python {python} is not there: name them with --small-model, --model and --python (see .ci/python-environment).");
            return 2;
        }

        var figures = new SortedDictionary<string, double>(StringComparer.Ordinal);
        var part = options.Value("part");
        if (part is null or "hops")
        {
            await MeasureHopsAsync(figures);
        }

        var ranks = (options.Value("ranks") ?? "1,2,3").Split(',').Select(count => int.Parse(count, CultureInfo.InvariantCulture)).ToArray();
        var home = Directory.CreateTempSubdirectory("clusterllm-bench-");
        foreach (var (path, load) in new[] { (small, Small), (real, Real) }.Where(pair => part is null || part == pair.Item2.Name))
        {
            var model = ModelFolder.Open(Path.GetFullPath(path));
            Print($"{model.Id}, {load.Tokens} tokens, medians of at most {load.Rounds}:");
            foreach (var nodes in ranks)
            {
                foreach (var transport in nodes == 1 ? [MlxTransport.Tunnel] : new[] { MlxTransport.Tunnel, MlxTransport.Direct })
                {
                    await MeasureAsync(model, load, nodes, Path.GetFullPath(python), transport, home.FullName, figures);
                }
            }
        }

        home.Delete(recursive: true);
        options.WriteJson(figures);
        return 0;
    }

    private static async Task MeasureHopsAsync(SortedDictionary<string, double> figures)
    {
        foreach (var (bytes, rounds) in new[] { (4, 2000), (16 * 1024, 2000), (1024 * 1024, 300) })
        {
            var (tunnel, direct) = await TunnelHop.MeasureAsync(bytes, rounds);
            figures[$"hop of {bytes} bytes: tunnel us"] = tunnel;
            figures[$"hop of {bytes} bytes: loopback us"] = direct;
            Print($"hop of {bytes} bytes, one way, median: tunnel {tunnel:F0} us, loopback socket {direct:F0} us; the tunnel costs {tunnel - direct:F0} us{Verdict(bytes <= 16 * 1024, tunnel - direct, AimHopUs)}");
        }
    }

    private static async Task MeasureAsync(ModelFolder model, MlxLoad load, int nodes, string python, MlxTransport transport, string home, SortedDictionary<string, double> figures)
    {
        TestAuthority.Shared.Write(CoordinatorPart.Credentials(home), nodeId: null);
        await using var cluster = await MlxNodes.StartAsync(model.Path, model.Config.LayerCount, nodes, python, transport, home);
        await using var gateway = await GatewayPart.StartAsync(
            GatewayPart.Coordinator, "--agent", cluster.AgentUrl.ToString(), "--node", MlxNodes.NodeId(0), "--home", home);
        using var engine = new ServerClient(cluster.EnginePort);
        using var channel = TestAuthority.Shared.Channel(cluster.AgentUrl, MlxNodes.NodeId(0));
        using var http = new HttpClient { BaseAddress = gateway.Url };
        var agent = new InferenceService.InferenceServiceClient(channel);
        List<(string Name, Func<string, Task<MlxTimes>> Ask)> ways =
        [
            ("engine", prompt => MlxWays.EngineAsync(engine, prompt, load.Tokens)),
            ("gateway+agent", prompt => MlxWays.GatewayAsync(http, prompt, load.Tokens)),
        ];
        if (load.EveryWay)
        {
            ways.Insert(1, ("agent in process", prompt => MlxWays.ShardAsync(cluster.Shard, prompt, load.Tokens)));
            ways.Insert(2, ("agent", prompt => MlxWays.AgentAsync(agent, prompt, load.Tokens)));
        }

        using var processors = new ProcessorMeter(gateway, cluster.RankProcesses);
        var results = await AskAsync(ways, load, processors);
        var label = $"{load.Name}, {nodes} ranks, {transport}";
        foreach (var (name, times) in results)
        {
            Report($"{label}, {name}", times, results["engine"], figures);
        }

        // What the same work costs that is in nobody's way: so contention for cores can be told from what the way itself adds.
        var burned = Math.Max(0, OverEngine(results["gateway+agent"], results["engine"]));
        using var burner = new ProcessorBurner(burned);
        var beside = await AskAsync(
            [ways[0], ("burning", prompt => MlxWays.EngineAsync(engine, prompt, load.Tokens, burner.Token))], load, processors);
        ReportContention(label, burned, beside["burning"], beside["engine"], figures);
    }

    private static async Task<Dictionary<string, List<MlxTimes>>> AskAsync(List<(string Name, Func<string, Task<MlxTimes>> Ask)> ways, MlxLoad load, ProcessorMeter processors)
    {
        var results = ways.ToDictionary(way => way.Name, _ => new List<MlxTimes>());
        var began = Stopwatch.GetTimestamp();
        // A busy machine gets fewer rounds, but always one after that which warms up.
        for (var round = 0; round <= load.Rounds && (round < 2 || Stopwatch.GetElapsedTime(began) < Budget); round++)
        {
            // In turns, and another one first each time, so that what else the machine does meets all ways alike; the first round warms up.
            for (var turn = 0; turn < ways.Count; turn++)
            {
                var (name, ask) = ways[(round + turn) % ways.Count];
                var before = processors.Read();
                var times = await ask($"{round}{name}: once upon a time there was a");
                if (round > 0)
                {
                    results[name].Add(times with { Processor = processors.Read() - before });
                }
            }
        }

        return results;
    }

    private static void Report(string label, List<MlxTimes> times, List<MlxTimes> engine, SortedDictionary<string, double> figures)
    {
        var (perToken, first) = (Median(times.Select(time => time.PerToken)), Median(times.Select(time => time.FirstToken)));
        var cost = Cost(times, engine);
        var (agents, ranks) = (OverEngine(times, engine), times.Sum(time => time.Processor.RanksMs) / Tokens(times));
        var busy = times.Sum(time => time.Processor.RanksMs) / times.Sum(time => time.WholeMs);
        figures[$"{label}: decode tok/s"] = 1000 / perToken;
        figures[$"{label}: ms per token"] = perToken;
        figures[$"{label}: time to first token ms"] = first;
        figures[$"{label}: ms per token over engine"] = cost;
        figures[$"{label}: processor ms per token over engine"] = agents;
        figures[$"{label}: processor ms per token of the ranks"] = ranks;
        figures[$"{label}: cores that the ranks keep busy"] = busy;
        figures[$"{label}: rounds"] = times.Count;
        var way = ReferenceEquals(times, engine)
            ? string.Create(CultureInfo.InvariantCulture, $"; the ranks use {ranks:F2} ms of processor per token and keep {busy:F1} of {Environment.ProcessorCount} cores busy")
            : string.Create(CultureInfo.InvariantCulture, $"; {cost:+0.00;-0.00} ms per token over the engine{Verdict(times.Count >= LeastRounds, cost, AimGatewayMs)}, {agents:+0.00;-0.00} ms of processor");
        Print($"  {label}: {1000 / perToken:F1} tok/s ({perToken:F2} ms per token), first token after {first:F0} ms{way}");
    }

    private static void ReportContention(string label, double burned, List<MlxTimes> times, List<MlxTimes> engine, SortedDictionary<string, double> figures)
    {
        var cost = Cost(times, engine);
        figures[$"{label}, engine beside as much other work: ms per token over engine"] = cost;
        Print($"  {label}, engine beside another thread that uses those {burned:F2} ms of processor per token: {cost:+0.00;-0.00} ms per token over the engine");
    }

    /// <summary>Milliseconds per token over the engine, round by round: what else the machine did meanwhile met both.</summary>
    private static double Cost(List<MlxTimes> times, List<MlxTimes> engine) => Median(times.Zip(engine, (way, direct) => way.PerToken - direct.PerToken));

    /// <summary>Processor milliseconds per token of gateway, agents and client over those of agents (tunnel) and client alone.</summary>
    private static double OverEngine(List<MlxTimes> times, List<MlxTimes> engine) => Outside(times) - Outside(engine);

    private static double Outside(List<MlxTimes> times) => times.Sum(time => time.Processor.OwnMs + time.Processor.GatewayMs) / Tokens(times);

    private static int Tokens(List<MlxTimes> times) => times.Sum(time => time.Tokens);

    private static string Verdict(bool applies, double value, double aim) =>
        applies ? string.Create(CultureInfo.InvariantCulture, $" (aim: below {aim:0}, {(value < aim ? "met" : "missed")})") : "";

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}

/// <summary>How a model is asked.</summary>
/// <param name="Tokens">Of each answer.</param>
/// <param name="EveryWay">Also through the agent alone.</param>
internal sealed record MlxLoad(string Name, int Rounds, int Tokens, bool EveryWay);
