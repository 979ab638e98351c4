using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Coordinator.Placement;

/// <summary>
/// Cuts the layers over all given nodes, in the given order, in proportion to the memory that each may use: the cuts that minimise
/// Σ needed² / free (equal shares of each node), among those where each node holds at least one layer and no node is over its limit.
/// </summary>
internal static class BalancedCuts
{
    public static CutResult Find(ImmutableArray<NodeCapacity> nodes, ModelSpec model, PlacementRequest request, EngineFacts engine)
    {
        var memory = EngineMemory.For(engine.Name);
        if (nodes.Length > model.LayerCount)
        {
            nodes = nodes[..model.LayerCount];
        }

        var layers = model.LayerCount;
        var count = nodes.Length;
        var best = new double[count + 1, layers + 1];
        var from = new int[count + 1, layers + 1];
        for (var end = 0; end <= layers; end++)
        {
            best[0, end] = end == 0 ? 0 : double.PositiveInfinity;
        }

        for (var stage = 1; stage <= count; stage++)
        {
            Fill(best, from, stage, NodeSelection.FreeBytes(nodes[stage - 1], request), (first, end) =>
                memory.ForStage(model, first, end, request.ContextTokens, request.Concurrency).TotalBytes);
        }

        return double.IsPositiveInfinity(best[count, layers])
            ? new CutResult([], FitRefusal.Explain(nodes, model, request, engine))
            : new CutResult(Trace(nodes, from, layers), []);
    }

    private static void Fill(double[,] best, int[,] from, int stage, long freeBytes, Func<int, int, long> needed)
    {
        for (var end = 0; end < best.GetLength(1); end++)
        {
            best[stage, end] = double.PositiveInfinity;
            for (var first = 0; first < end; first++)
            {
                if (double.IsPositiveInfinity(best[stage - 1, first]))
                {
                    continue;
                }

                var bytes = needed(first, end);
                var share = (double)bytes / freeBytes;
                var cost = best[stage - 1, first] + (share * bytes);
                if (bytes <= freeBytes && cost < best[stage, end])
                {
                    best[stage, end] = cost;
                    from[stage, end] = first;
                }
            }
        }
    }

    private static ImmutableArray<ManualStage> Trace(ImmutableArray<NodeCapacity> nodes, int[,] from, int layers)
    {
        var stages = new ManualStage[nodes.Length];
        var end = layers;
        for (var stage = nodes.Length; stage > 0; stage--)
        {
            stages[stage - 1] = new ManualStage(nodes[stage - 1].NodeId, from[stage, end], end);
            end = from[stage, end];
        }

        return [.. stages];
    }
}

/// <summary>Layer ranges in stage order, or why there are none.</summary>
internal readonly record struct CutResult(ImmutableArray<ManualStage> Stages, ImmutableArray<Rejection> Problems);
