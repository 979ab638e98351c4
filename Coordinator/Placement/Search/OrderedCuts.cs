namespace ClusterLlm.Coordinator.Placement.Search;

/// <summary>The best cuts for a given order of nodes, each of which gets at least one layer. Work: nodes × layers.</summary>
internal sealed class OrderedCuts
{
    private readonly CutProblem _problem;
    private readonly StageWindows _windows;
    private readonly int[] _queue;

    public OrderedCuts(CutProblem problem)
    {
        _problem = problem;
        _windows = new StageWindows(problem);
        _queue = new int[problem.LayerCount + 1];
    }

    /// <param name="order">Nodes in stage order.</param>
    /// <param name="slowestStage">No stage may take longer, in milliseconds.</param>
    public CutPlan? Find(IReadOnlyList<int> order, double slowestStage)
    {
        var width = _problem.LayerCount + 1;
        var best = new double[order.Count][];
        var from = new int[order.Count][];
        for (var stage = 0; stage < order.Count; stage++)
        {
            best[stage] = new double[width];
            from[stage] = new int[width];
            Array.Fill(best[stage], double.PositiveInfinity);
            if (stage == 0)
            {
                First(order[0], best[0], slowestStage);
            }
            else
            {
                Later(order[stage], best[stage - 1], _problem.Hop[order[stage - 1], order[stage]], best[stage], from[stage], slowestStage);
            }
        }

        var total = best[^1][_problem.LayerCount];
        return double.IsPositiveInfinity(total) ? null : Trace(order, from, total);
    }

    private void First(int node, double[] best, double slowestStage)
    {
        for (var end = 1; end < best.Length; end++)
        {
            var time = _problem.StageTime(node, 0, end);
            if (_windows.AllowsFromZero(node, end) && time <= slowestStage)
            {
                best[end] = time;
            }
        }
    }

    private void Later(int node, double[] before, double hop, double[] best, int[] from, double slowestStage)
    {
        var time = _problem.LayerTime[node];
        int head = 0, tail = 0, next = 1;
        for (var end = 2; end < best.Length; end++)
        {
            var extra = end == _problem.LayerCount ? _problem.LastTime[node] : 0;
            for (var newest = Math.Min(end - 1, _windows.LatestStart(node)); next <= newest; next++)
            {
                while (tail > head && before[_queue[tail - 1]] - time[_queue[tail - 1]] > before[next] - time[next])
                {
                    tail--;
                }

                _queue[tail++] = next;
            }

            while (head < tail
                && (_queue[head] < _windows.EarliestStart(node, end) || time[end] - time[_queue[head]] + extra > slowestStage))
            {
                head++;
            }

            if (head < tail && _windows.AllowsEnd(node, end))
            {
                best[end] = before[_queue[head]] + hop + time[end] - time[_queue[head]] + extra;
                from[end] = _queue[head];
            }
        }
    }

    private CutPlan Trace(IReadOnlyList<int> order, int[][] from, double total)
    {
        var cuts = new Cut[order.Count];
        var end = _problem.LayerCount;
        for (var stage = order.Count - 1; stage >= 0; stage--)
        {
            cuts[stage] = new Cut(order[stage], from[stage][end], end);
            end = from[stage][end];
        }

        return new CutPlan(cuts, total, cuts.Max(cut => _problem.StageTime(cut.Node, cut.First, cut.End)));
    }
}
