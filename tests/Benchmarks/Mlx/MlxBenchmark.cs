using System.Globalization;
using ClusterLlm.Benchmarks.Gateway;
using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Mlx;
using ClusterLlm.NodeAgent.Engines.Mlx.Requests;
using ClusterLlm.Protos.V1;
using Grpc.Net.Client;

namespace ClusterLlm.Benchmarks.Mlx;

/// <summary>
/// Real MLX on one, two and three ranks: decode and time to first token directly at the engine, through the agent, and through gateway and agent; and
/// the tunnel against a direct ring. All of it on one machine: the ranks share its cores, so the figures compare ways, not cluster sizes.
/// </summary>
internal static class MlxBenchmark
{
    private const int Rounds = 3;
    private const int Tokens = 24;

    public static async Task<int> RunAsync(BenchmarkOptions options)
    {
        var path = options.Value("model") ?? Path.Combine("..", "shared", "models", "SmolLM2-135M-Instruct-4bit");
        var python = options.Value("python") ?? Path.Combine("artifacts", "mlx-python", "bin", "python");
        if (!Directory.Exists(path) || !File.Exists(python))
        {
            Console.Error.WriteLine($"The model {path} or the Python {python} is not there: name them with --model and --python (see .ci/python-environment).");
            return 2;
        }

        var figures = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var bytes in new[] { 4, 16 * 1024, 1024 * 1024 })
        {
            var (tunnel, direct) = await TunnelHop.MeasureAsync(bytes);
            figures[$"hop of {bytes} bytes: tunnel us"] = tunnel;
            figures[$"hop of {bytes} bytes: loopback us"] = direct;
            Print($"hop of {bytes} bytes, one way, median: tunnel {tunnel:F0} us, loopback socket {direct:F0} us");
        }

        var home = Directory.CreateTempSubdirectory("clusterllm-bench-");
        var model = ModelFolder.Open(Path.GetFullPath(path));
        foreach (var nodes in new[] { 1, 2, 3 })
        {
            foreach (var transport in nodes == 1 ? [MlxTransport.Tunnel] : new[] { MlxTransport.Tunnel, MlxTransport.Direct })
            {
                await MeasureAsync(model, nodes, Path.GetFullPath(python), transport, home.FullName, figures);
            }
        }

        home.Delete(recursive: true);
        options.WriteJson(figures);
        return 0;
    }

    private static async Task MeasureAsync(ModelFolder model, int nodes, string python, MlxTransport transport, string home, SortedDictionary<string, double> figures)
    {
        await using var cluster = await MlxNodes.StartAsync(model.Path, model.Config.LayerCount, nodes, python, transport, home);
        await using var gateway = await GatewayPart.StartAsync(GatewayPart.Coordinator, "--agent", cluster.AgentUrl.ToString());
        using var engine = new ServerClient(cluster.EnginePort);
        using var channel = GrpcChannel.ForAddress(cluster.AgentUrl);
        using var http = new HttpClient { BaseAddress = gateway.Url };
        var agent = new InferenceService.InferenceServiceClient(channel);
        (string Name, Func<string, Task<MlxTimes>> Ask)[] ways =
        [
            ("engine", prompt => MlxWays.EngineAsync(engine, prompt, Tokens)),
            ("agent in process", prompt => MlxWays.ShardAsync(cluster.Shard, prompt, Tokens)),
            ("agent", prompt => MlxWays.AgentAsync(agent, prompt, Tokens)),
            ("gateway+agent", prompt => MlxWays.GatewayAsync(http, prompt, Tokens)),
        ];
        var results = ways.ToDictionary(way => way.Name, _ => new List<MlxTimes>());
        foreach (var round in Enumerable.Range(0, Rounds + 1))
        {
            // In turns, so that what else the machine does meets all ways alike; the first round warms up.
            foreach (var (name, ask) in ways)
            {
                var times = await ask($"{round}{name}: once upon a time there was a");
                if (round > 0)
                {
                    results[name].Add(times);
                }
            }
        }

        foreach (var (name, times) in results)
        {
            var label = $"{nodes} ranks, {transport}, {name}";
            var (perToken, first) = (Median(times.Select(time => time.PerToken)), Median(times.Select(time => time.FirstToken)));
            figures[$"{label}: decode tok/s"] = 1000 / perToken;
            figures[$"{label}: ms per token"] = perToken;
            figures[$"{label}: time to first token ms"] = first;
            Print($"{label}: {1000 / perToken:F1} tok/s ({perToken:F2} ms per token), first token after {first:F0} ms");
        }
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
