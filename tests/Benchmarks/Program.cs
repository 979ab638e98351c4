using ClusterLlm.Benchmarks;
using ClusterLlm.Benchmarks.Planning;

// dotnet run -c Release --project tests/Benchmarks -- NAME [--json FILE] [more options]
return args switch
{
    ["predictor", .. var options] => PredictorBenchmark.Run(BenchmarkOptions.Parse(options)),
    ["fit", .. var options] => FitCommand.Run(BenchmarkOptions.Parse(options)),
    _ => BenchmarkOptions.Usage(),
};
