namespace ClusterLlm.Coordinator.Placement.Search;

/// <summary>
/// Whether the model fits, and on how few nodes. Only memory counts, so for each set of nodes the furthest layer that can be reached decides:
/// reaching further never makes the rest harder.
/// </summary>
internal sealed class Feasibility
{
    private const long MostStates = 20_000;

    private readonly CutProblem _problem;
    private readonly NodeClasses _classes;
    private readonly int[]? _reach;
    private readonly ShortestStep? _full;

    public Feasibility(CutProblem problem)
    {
        _problem = problem;
        _classes = new NodeClasses(problem);
        if (problem.IsRequired.Contains(true) || _classes.StateCountOrMax > MostStates)
        {
            // Pins and nodes that must be used make the order matter: the full search decides.
            _full = new ShortestStep(problem, null);
        }
        else
        {
            _reach = Reach(new StageWindows(problem));
        }
    }

    public bool IsExact => _full?.IsExact ?? true;

    /// <summary>The fewest nodes that hold the model; 0 when none do.</summary>
    public int FewestNodes(SearchLimit limit)
    {
        if (_full is not null)
        {
            return _full.Find(limit, double.PositiveInfinity)?.Cuts.Length ?? 0;
        }

        var without = limit.WithoutNode < 0 ? -1 : _problem.ClassOf[limit.WithoutNode];
        var most = limit.NodeCount == 0 ? _problem.NodeCount : limit.NodeCount;
        var fewest = int.MaxValue;
        for (var state = 1; state < _classes.StateCount; state++)
        {
            if (_reach![state] == _problem.LayerCount && (without < 0 || _classes.LeavesOne(state, without)))
            {
                fewest = Math.Min(fewest, _classes.NodesIn(state));
            }
        }

        return fewest <= most ? fewest : 0;
    }

    private int[] Reach(StageWindows windows)
    {
        var furthest = Enumerable.Range(0, _classes.Count).Select(which => Furthest(windows, _classes.Members(which)[0])).ToArray();
        var reach = new int[_classes.StateCount];
        for (var state = 1; state < reach.Length; state++)
        {
            for (var last = 0; last < _classes.Count; last++)
            {
                if (_classes.Used(state, last) > 0)
                {
                    var start = reach[state - _classes.Stride(last)];
                    reach[state] = Math.Max(reach[state], start == _problem.LayerCount ? start : furthest[last][start]);
                }
            }
        }

        return reach;
    }

    /// <summary>[start] = the furthest end of a stage that begins there.</summary>
    private int[] Furthest(StageWindows windows, int node)
    {
        var layers = _problem.LayerCount;
        var furthest = new int[layers + 1];
        for (var end = 1; end <= layers; end++)
        {
            if (windows.AllowsFromZero(node, end))
            {
                furthest[0] = end;
            }
        }

        var last = 1;
        for (var start = 1; start < layers; start++)
        {
            last = Math.Max(last, start);
            while (last + 1 <= layers && windows.EarliestStart(node, last + 1) <= start)
            {
                last++;
            }

            furthest[start] = last;
        }

        return furthest;
    }
}
