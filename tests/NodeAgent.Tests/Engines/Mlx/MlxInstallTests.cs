using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using ClusterLlm.NodeAgent.Engines.Mlx.Installing;
using ClusterLlm.Testing;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx;

/// <summary>The whole way from the pins to an environment that says its versions, by processes that share a home folder.</summary>
public sealed class MlxInstallTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("clusterllm-install-").FullName;

    public void Dispose() => Directory.Delete(_home, recursive: true);

    /// <summary>It takes 350 MB for a minute.</summary>
    [Fact(Timeout = 900_000)]
    public async Task Make_TwoAgentProcessesOfOneHomeAtOnce_IsMadeOnceFromTheWheelsAndWorksForBoth()
    {
        var cancelled = TestContext.Current.CancellationToken;
        Assert.SkipUnless(ProgramFinder.OfThisProcess.Find("python3") is not null, "This machine has no python3 on its PATH: install it.");
        var wheels = SharedFiles.Require("wheels");
        await using var first = new Agent(_home, "node-1", wheels);
        await using var second = new Agent(_home, "node-2", wheels);

        var engines = await Task.WhenAll(first.PreparedAsync(cancelled), second.PreparedAsync(cancelled));

        Assert.All(engines, engine => Assert.Equal((true, "", "mlx 0.32.4, mlx-lm 0.32.2"), (engine.Available, engine.UnavailableReason, engine.Version)));
        Assert.Single([.. first.Output, .. second.Output], line => line.Contains("Making the Python environment of MLX", StringComparison.Ordinal));
    }

    /// <summary>An agent as the hosts start it. It ends with its standard input.</summary>
    private sealed class Agent : IAsyncDisposable
    {
        private readonly Process _process;
        private readonly string _nodeId;
        private readonly string _ready;

        public Agent(string home, string nodeId, string wheels)
        {
            (_nodeId, _ready) = (nodeId, Path.Combine(home, $"{nodeId}.json"));
            TestAuthority.Shared.WriteCredentials(home, nodeId);
            var start = new ProcessStartInfo("dotnet", Path.Combine(AppContext.BaseDirectory, "ClusterLlm.NodeAgent.dll"))
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                WorkingDirectory = home,
            };
            foreach (var (name, value) in new Dictionary<string, string>
            {
                ["CLUSTERLLM_HOME"] = home,
                ["CLUSTERLLM_PARENT"] = "stdin",
                ["CLUSTERLLM__Node__Id"] = nodeId,
                ["CLUSTERLLM__Node__GrpcPort"] = "0",
                ["CLUSTERLLM__Node__ReadyFile"] = _ready,
                ["CLUSTERLLM__Engines__Mlx__WheelFolder"] = wheels,
            })
            {
                start.Environment[name] = value;
            }

            _process = Process.Start(start)!;
            _process.OutputDataReceived += (_, line) => Output.Add(line.Data ?? "");
            _process.BeginOutputReadLine();
        }

        public ConcurrentBag<string> Output { get; } = [];

        /// <summary>What the agent says of mlx once the environment is there, or can't be.</summary>
        public async Task<Proto.EngineDescription> PreparedAsync(CancellationToken cancellationToken)
        {
            using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
            while (!File.Exists(_ready) && await poll.WaitForNextTickAsync(cancellationToken))
            {
                Assert.False(_process.HasExited, string.Join('\n', Output));
            }

            using var ready = JsonDocument.Parse(await File.ReadAllBytesAsync(_ready, cancellationToken));
            using var channel = TestAuthority.Shared.Channel(new Uri(ready.RootElement.GetProperty("grpcUrl").GetString()!), _nodeId);
            var node = new Proto.NodeService.NodeServiceClient(channel);
            while (true)
            {
                var description = await node.DescribeAsync(new Proto.DescribeRequest(), cancellationToken: cancellationToken);
                var mlx = Assert.Single(description.Engines, engine => engine.Name == "mlx");
                if (mlx.UnavailableReason != MlxInstallation.Preparing)
                {
                    return mlx;
                }

                await poll.WaitForNextTickAsync(cancellationToken);
            }
        }

        public async ValueTask DisposeAsync()
        {
            _process.StandardInput.Close();
            await _process.WaitForExitAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));
            _process.Dispose();
        }
    }
}
