namespace ClusterLlm.Coordinator.Placement.Search;

/// <summary>
/// What no plan can beat, by relaxing the problem: layers may be divided, their order doesn't matter, and a node that is filled to a share of
/// its memory pays only that share of its hop.
/// </summary>
internal sealed class Bounds
{
    private readonly CutProblem _problem;
    private readonly double[] _whole;
    private readonly double[] _room;
    private readonly double _work;
    private readonly double _hop;

    public Bounds(CutProblem problem)
    {
        _problem = problem;
        _whole = [.. problem.LayerTime.Select(time => time[^1])];
        var shares = Shares(problem, _whole);
        _work = shares.Sum();
        var bytesPerWork = shares.Select((share, layer) => (problem.LayerBytes[layer + 1] - problem.LayerBytes[layer]) / share).Min();
        _room = [.. problem.FreeBytes.Select(free => Math.Clamp((free - problem.StageBytes) / bytesPerWork, 0, _work))];
        _hop = LeastHop(problem);
    }

    /// <summary>Milliseconds of a step with one batch in flight that no plan can fall below; infinite when the memory of all nodes is too small.</summary>
    public double Latency()
    {
        var left = _work;
        double total = 0;
        foreach (var node in Enumerable.Range(0, _problem.NodeCount).Where(node => _room[node] > 0).OrderBy(Rate))
        {
            var placed = Math.Min(left, _room[node]);
            total += placed * Rate(node);
            left -= placed;
            if (left <= 0)
            {
                break;
            }
        }

        // The first stage is reached without a hop. With one node in use the share of a hop that was counted may be less than a whole one.
        return left > 1e-9 ? double.PositiveInfinity : Math.Max(0, total - _hop) + _problem.LastTime.Min();
    }

    /// <summary>Milliseconds of the slowest stage that no plan on so many nodes can fall below.</summary>
    public double SlowestStage(int nodes)
    {
        double low = 0;
        var high = _whole.Max() * 2;
        for (var step = 0; step < 50; step++)
        {
            var limit = (low + high) / 2;
            var placed = Enumerable.Range(0, _problem.NodeCount).Select(node => Math.Min(_room[node], limit / _whole[node]))
                .OrderDescending().Take(nodes).Sum();
            (low, high) = placed >= _work ? (low, limit) : (limit, high);
        }

        return low;
    }

    private double Rate(int node) => _whole[node] + (_hop / _room[node]);

    /// <summary>A layer's share of the whole model's time, taken on the node where it is smallest; the sum is 1 when layers scale alike everywhere.</summary>
    private static double[] Shares(CutProblem problem, double[] whole)
    {
        var shares = new double[problem.LayerCount];
        for (var layer = 0; layer < shares.Length; layer++)
        {
            shares[layer] = Enumerable.Range(0, problem.NodeCount)
                .Min(node => (problem.LayerTime[node][layer + 1] - problem.LayerTime[node][layer]) / whole[node]);
        }

        return shares;
    }

    private static double LeastHop(CutProblem problem)
    {
        var least = double.PositiveInfinity;
        for (var from = 0; from < problem.NodeCount; from++)
        {
            for (var to = 0; to < problem.NodeCount; to++)
            {
                least = from == to ? least : Math.Min(least, problem.Hop[from, to]);
            }
        }

        return double.IsPositiveInfinity(least) ? 0 : least;
    }
}
