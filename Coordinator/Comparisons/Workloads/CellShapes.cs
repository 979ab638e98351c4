using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Comparisons.Workloads;

/// <summary>What a deployment is asked for so that it can run some of the cells. It reserves cache for every request at the full context.</summary>
/// <param name="ContextTokens">The longest cell's.</param>
/// <param name="Concurrency">The largest cell's.</param>
/// <param name="Workloads">Whose cells run on it.</param>
internal sealed record CellShape(int ContextTokens, int Concurrency, ImmutableArray<Workload> Workloads)
{
    /// <summary>Tokens of cache that it reserves.</summary>
    public long ReservedTokens => (long)ContextTokens * Concurrency;
}

/// <summary>
/// Divides cells so that no deployment reserves more cache than the most demanding workload needs: a chat of eight and one prompt of 8k tokens do not need eight times 8k, and one
/// node that can run each of them must not be refused for both together. Pure.
/// </summary>
internal static class CellShapes
{
    /// <returns>One or more, the longest context first.</returns>
    public static ImmutableArray<CellShape> Of(ImmutableArray<Cell> cells)
    {
        CellShape[] alone =
        [
            .. cells.GroupBy(cell => cell.Workload)
                .Select(group => new CellShape(group.Key.PromptTokens + group.Key.OutputTokens, group.Max(cell => cell.Concurrency), [group.Key]))
                .OrderByDescending(shape => shape.ContextTokens).ThenByDescending(shape => shape.Concurrency),
        ];
        var most = alone.Max(shape => shape.ReservedTokens);
        var shapes = new List<CellShape>();
        foreach (var one in alone)
        {
            var index = shapes.FindIndex(shape => Together(shape, one).ReservedTokens <= most);
            if (index < 0)
            {
                shapes.Add(one);
            }
            else
            {
                shapes[index] = Together(shapes[index], one);
            }
        }

        return [.. shapes];
    }

    private static CellShape Together(CellShape one, CellShape other) => new(
        Math.Max(one.ContextTokens, other.ContextTokens), Math.Max(one.Concurrency, other.Concurrency), [.. one.Workloads, .. other.Workloads]);
}
