using ClusterLlm.Benchmarks;
using ClusterLlm.Benchmarks.Engine;
using ClusterLlm.Benchmarks.Gateway;
using ClusterLlm.Benchmarks.Load;
using ClusterLlm.Benchmarks.Mlx;
using ClusterLlm.Benchmarks.Planning;
using ClusterLlm.Benchmarks.Start;
using ClusterLlm.Benchmarks.Tls;

// dotnet run -c Release --project tests/Benchmarks -- NAME [--json FILE] [more options]
return args switch
{
    ["memory", .. var options] => await MemoryBenchmark.RunAsync(BenchmarkOptions.Parse(options)),
    ["predictor", .. var options] => PredictorBenchmark.Run(BenchmarkOptions.Parse(options)),
    ["planner", .. var options] => PlannerBenchmark.Run(BenchmarkOptions.Parse(options)),
    ["fit", .. var options] => FitCommand.Run(BenchmarkOptions.Parse(options)),
    ["engine", .. var options] => await EngineBenchmark.RunAsync(BenchmarkOptions.Parse(options)),
    ["gateway", .. var options] => await GatewayBenchmark.RunAsync(BenchmarkOptions.Parse(options)),
    ["tls", .. var options] => await TlsBenchmark.RunAsync(BenchmarkOptions.Parse(options)),
    ["start", .. var options] => await StartBenchmark.RunAsync(BenchmarkOptions.Parse(options)),
    ["build", .. var options] => await BuildBenchmark.RunAsync(BenchmarkOptions.Parse(options)),
    ["load", .. var options] => await LoadBenchmark.RunAsync(BenchmarkOptions.Parse(options)),
    ["mlx", .. var options] => await MlxBenchmark.RunAsync(BenchmarkOptions.Parse(options)),
    [GatewayPart.Agent, .. var options] => await AgentPart.RunAsync(BenchmarkOptions.Parse(options)),
    [GatewayPart.Coordinator, .. var options] => await CoordinatorPart.RunAsync(BenchmarkOptions.Parse(options)),
    _ => BenchmarkOptions.Usage(),
};
