using System.Collections.Immutable;
using ClusterLlm.Coordinator.Comparisons.Load;
using ClusterLlm.Coordinator.Comparisons.Workloads;

namespace ClusterLlm.Coordinator.Comparisons.Running;

/// <summary>What is sent in one round: the same to every candidate, and never twice to one.</summary>
internal sealed class VisitPlan(int round, int seed, ImmutableArray<Cell> cells, PromptMaker prompts)
{
    // One request alone is a single reading.
    private const int LeastRequests = 2;
    private const int WarmUpTokens = 4;
    private const int WarmUpSeeds = 1000;

    // Long prompts take their time to make; each candidate gets the same ones.
    private readonly Dictionary<int, ImmutableArray<LoadRequest>> _made = [];

    public int Round => round;

    public ImmutableArray<Cell> Cells => cells;

    /// <summary>Indices of the cells that run on a deployment of a shape.</summary>
    public IEnumerable<int> CellsOf(CellShape shape) => Enumerable.Range(0, cells.Length).Where(index => shape.Workloads.Contains(cells[index].Workload));

    public ImmutableArray<LoadRequest> Requests(int cell)
    {
        if (!_made.TryGetValue(cell, out var requests))
        {
            var workload = cells[cell].Workload;
            _made[cell] = requests =
            [
                .. Enumerable.Range(0, Math.Max(LeastRequests, cells[cell].Concurrency)).Select(index => Request(workload.PromptTokens, workload.OutputTokens, cell, index)),
            ];
        }

        return requests;
    }

    /// <summary>Short answers to as many requests at once as will be measured: buffers of that size exist afterwards. Excluded from all figures.</summary>
    public ImmutableArray<LoadRequest> WarmUp(CellShape shape)
    {
        var shortest = shape.Workloads.Min(workload => workload.PromptTokens);
        return [.. Enumerable.Range(0, shape.Concurrency).Select(index => Request(shortest, WarmUpTokens, 0, WarmUpSeeds + index))];
    }

    private LoadRequest Request(int promptTokens, int outputTokens, int cell, int index) =>
        new(prompts.Make(promptTokens, PromptSeeds.Of(seed, round, cell, index)), outputTokens, KeepText: false);
}
