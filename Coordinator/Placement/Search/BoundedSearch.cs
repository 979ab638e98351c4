namespace ClusterLlm.Coordinator.Placement.Search;

/// <summary>
/// For more different nodes than an exact search can take: fills the cheapest nodes first, then swaps, drops and adds nodes while that helps.
/// How far the result is from the bound is part of the answer.
/// </summary>
internal sealed class BoundedSearch
{
    private const int MostRounds = 6;

    private readonly CutProblem _problem;
    private readonly OrderedCuts _cuts;
    private readonly int[] _byCost;
    private readonly int[] _required;

    public BoundedSearch(CutProblem problem)
    {
        _problem = problem;
        _cuts = new OrderedCuts(problem);
        var hop = problem.NodeCount > 1 ? problem.Hop[0, 1] : 0;
        _byCost = [.. Enumerable.Range(0, problem.NodeCount).OrderBy(node => Cost(problem, node, hop)).ThenBy(node => node)];
        _required = [.. Enumerable.Range(0, problem.NodeCount).Where(node => problem.IsRequired[node])];
    }

    /// <summary>The shortest sum that was found, on nodes that the predicate allows.</summary>
    public CutPlan? Latency(Func<int, bool> allows)
    {
        var order = Start(allows);
        var best = order is null ? null : Solve(order, double.PositiveInfinity);
        for (var round = 0; best is not null && round < MostRounds; round++)
        {
            var better = Neighbours(best, allows).Select(nodes => Solve(nodes, double.PositiveInfinity))
                .Where(plan => plan is not null && plan.Milliseconds < best.Milliseconds - 1e-9).MinBy(plan => plan!.Milliseconds);
            if (better is null)
            {
                break;
            }

            best = better;
        }

        return best;
    }

    /// <summary>The shortest round that was found on so many nodes.</summary>
    /// <param name="batches">In flight at once; ≥ 2.</param>
    public CutPlan? Throughput(int nodes, int batches, Func<int, bool> allows, double ceiling)
    {
        // The nodes that can do most within the shortest possible slowest stage.
        var limit = new Bounds(_problem).SlowestStage(nodes);
        var chosen = _required.Concat(Enumerable.Range(0, _problem.NodeCount).Except(_required).Where(allows)
            .OrderByDescending(node => LayersWithin(node, limit)).ThenBy(node => node)).Take(nodes).Order().ToArray();
        return chosen.Length < nodes ? null : ThroughputSearch.Find(slowest => Solve(chosen, slowest), batches, ceiling, limit, ThroughputSearch.Coarse);
    }

    /// <summary>Whether all nodes together can hold the model, in their order.</summary>
    public bool IsFeasible(Func<int, bool> allows) => Start(allows) is not null;

    private static double Cost(CutProblem problem, int node, double hop)
    {
        var room = Room(problem, node);
        return room == 0 ? double.PositiveInfinity : (problem.LayerTime[node][^1] / problem.LayerCount) + (hop / room);
    }

    /// <summary>Layers of average size that the node can hold.</summary>
    private static double Room(CutProblem problem, int node) =>
        Math.Clamp((problem.FreeBytes[node] - problem.StageBytes) / ((double)problem.LayerBytes[^1] / problem.LayerCount), 0, problem.LayerCount);

    private double LayersWithin(int node, double milliseconds) =>
        Math.Min(Room(_problem, node), milliseconds / (_problem.LayerTime[node][^1] / _problem.LayerCount));

    /// <summary>The fewest of the cheapest nodes that hold the model.</summary>
    private int[]? Start(Func<int, bool> allows)
    {
        var chosen = new List<int>(_required);
        var room = chosen.Sum(node => Room(_problem, node));
        foreach (var node in _byCost.Where(node => allows(node) && !_problem.IsRequired[node] && Room(_problem, node) >= 1).Append(-1))
        {
            if (room >= _problem.LayerCount - 1 && chosen.Count > 0 && chosen.Count <= _problem.LayerCount)
            {
                int[] order = [.. chosen.Order()];
                if (Solve(order, double.PositiveInfinity) is not null)
                {
                    return order;
                }
            }

            if (node >= 0)
            {
                chosen.Add(node);
                room += Room(_problem, node);
            }
        }

        return null;
    }

    private IEnumerable<int[]> Neighbours(CutPlan plan, Func<int, bool> allows)
    {
        var used = plan.Cuts.Select(cut => cut.Node).ToArray();
        var others = _byCost.Where(node => allows(node) && !used.Contains(node) && Room(_problem, node) >= 1).Take(12).ToArray();
        foreach (var node in used.Where(node => !_problem.IsRequired[node]))
        {
            if (used.Length > 1)
            {
                yield return [.. used.Where(other => other != node)];
            }

            foreach (var other in others)
            {
                yield return [.. used.Select(one => one == node ? other : one).Order()];
            }
        }

        foreach (var other in others.Where(_ => used.Length < _problem.LayerCount))
        {
            yield return [.. used.Append(other).Order()];
        }
    }

    private CutPlan? Solve(int[] order, double slowestStage) => _cuts.Find(Chain(order), slowestStage);

    /// <summary>Links that differ make the order matter: each next stage is the nearest node that is left.</summary>
    private List<int> Chain(int[] nodes)
    {
        var left = nodes.ToList();
        var chain = new List<int> { left[0] };
        left.RemoveAt(0);
        while (left.Count > 0)
        {
            var next = left.MinBy(node => (_problem.Hop[chain[^1], node], node));
            chain.Add(next);
            left.Remove(next);
        }

        return chain;
    }
}
