using System.Diagnostics;
using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Benchmarks.Planning;

/// <summary>How long planning takes, and what it allocates: 8 distinct nodes exactly, 64 distinct nodes within a bound.</summary>
internal static class PlannerBenchmark
{
    private static readonly string[] Chips =
        ["Apple M4 Pro", "Apple M4 Max", "Apple M3 Ultra", "Apple M2 Ultra", "Apple M1 Max", "Apple M3 Max", "Apple M2 Max", "Apple M1 Ultra"];

    public static int Run(BenchmarkOptions options)
    {
        var figures = new Dictionary<string, double>();
        var model = Llama405();
        Measure("8 nodes", Cluster(8), model, figures);
        Measure("8 nodes builtin", Cluster(8, "builtin"), model, figures);
        Measure("64 nodes", Cluster(64), model, figures);
        options.WriteJson(figures);
        return 0;
    }

    private static void Measure(string name, ClusterSnapshot cluster, ModelSpec model, Dictionary<string, double> figures)
    {
        var objectives = new[] { PlacementObjective.Latency, PlacementObjective.Throughput, PlacementObjective.Capacity };
        // The first rounds run code that the compiler has not optimised yet.
        for (var round = 0; round < 15; round++)
        {
            PlanAll(cluster, model, objectives);
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var processor = Process.GetCurrentProcess().TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        var plans = PlanAll(cluster, model, objectives);
        var milliseconds = clock.Elapsed.TotalMilliseconds;
        var busy = (Process.GetCurrentProcess().TotalProcessorTime - processor).TotalMilliseconds;
        var megabytes = (GC.GetAllocatedBytesForCurrentThread() - allocated) / 1e6;
        var gap = plans.Max(plan => plan.Optimality!.GapShare);
        Console.WriteLine(FormattableString.Invariant(
            $"{name}, {model.LayerCount} layers, all objectives: {milliseconds:0.0} ms ({busy:0} ms of processor time), {megabytes:0.0} MB allocated, {(plans.All(plan => plan.Optimality!.IsExact) ? "exact" : $"within {100 * gap:0.0} % of the bound")}"));
        foreach (var (plan, objective) in plans.Zip(objectives))
        {
            Console.WriteLine(FormattableString.Invariant(
                $"  {objective}: {plan.Stages.Length} stages, {plan.Predictions!.DecodeTokensPerSecond.Value:0.00} tok/s for one request, {plan.Predictions.AggregateTokensPerSecond.Value:0.0} for {plan.MaxConcurrency}, {plan.ContextTokens} tokens of context"));
        }

        figures[$"planner {name} ms"] = Math.Round(milliseconds, 2);
        figures[$"planner {name} processor ms"] = Math.Round(busy, 2);
        figures[$"planner {name} MB"] = Math.Round(megabytes, 2);
        figures[$"planner {name} gap percent"] = Math.Round(100 * gap, 2);
    }

    private static PlacementPlan[] PlanAll(ClusterSnapshot cluster, ModelSpec model, PlacementObjective[] objectives) =>
        [.. objectives.Select(objective =>
            PlacementPlanner.Plan(cluster, model, new PlacementRequest(objective, 8192, 8, "auto", [], [])) is PlacementResult.Planned planned
                ? planned.Plan
                : throw new InvalidOperationException($"The benchmark's case for {objective} does not fit."))];

    /// <summary>Nodes that differ in chip or memory, and links that differ in round trip.</summary>
    private static ClusterSnapshot Cluster(int count, string engine = "mlx")
    {
        var nodes = Enumerable.Range(0, count).Select(index => new NodeCapacity(
            $"mac-{index:00}",
            $"machine-{index:00}",
            Chips[index % Chips.Length],
            0,
            12,
            128L << 30,
            (64_000_000_000L * (10 + (index % 7)) / 10) + (index * 100_000_000L),
            0,
            [engine],
            null)).ToArray();
        return new ClusterSnapshot([.. nodes], []) { Knowledge = BuiltInKnowledge.Planning };
    }

    /// <summary>Llama 3.1 405B at 4.5 bits per weight: 126 layers.</summary>
    private static ModelSpec Llama405()
    {
        const double Parameters = 405.85e9;
        const long Embedding = 16384L * 128256 * 9 / 16;
        const long Layer = (long)(((Parameters * 9 / 16) - (2 * Embedding)) / 126);
        return new ModelSpec(
            "llama-3.1-405b-4bit", "LlamaForCausalLM", "llama", [.. Enumerable.Repeat(new LayerSpec(Layer, Layer, 2048, 0, 0), 126)],
            Embedding, Embedding, 32768, false, 16384, 53248, 128, 8, 128, 128256, 131072, 4.5, Parameters, Parameters);
    }
}
