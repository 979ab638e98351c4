namespace ClusterLlm.Coordinator.Placement.Search;

/// <summary>Where the stage of a node may begin, for each end: computed once, since memory and pins don't change during a search.</summary>
internal sealed class StageWindows
{
    private readonly int[][] _earliest;
    private readonly bool[][] _fromZero;
    private readonly int[] _latest;
    private readonly int[] _pinEnd;

    public StageWindows(CutProblem problem)
    {
        _earliest = new int[problem.NodeCount][];
        _fromZero = new bool[problem.NodeCount][];
        _latest = new int[problem.NodeCount];
        _pinEnd = new int[problem.NodeCount];
        for (var node = 0; node < problem.NodeCount; node++)
        {
            var (pinFirst, pinEnd) = problem.Pins[node];
            _latest[node] = pinFirst < 0 ? problem.LayerCount : pinFirst;
            _pinEnd[node] = pinFirst < 0 ? 0 : pinEnd;
            _earliest[node] = Earliest(problem, node);
            _fromZero[node] = new bool[problem.LayerCount + 1];
            for (var end = 1; end <= problem.LayerCount; end++)
            {
                _fromZero[node][end] = problem.Allows(node, 0, end);
            }
        }
    }

    /// <summary>First layer from which the node can hold everything up to <paramref name="end"/>; ≥ 1, and <paramref name="end"/> when it can't hold even one.</summary>
    public int EarliestStart(int node, int end) => _earliest[node][end];

    /// <summary>A stage must begin at or before its own pinned layers.</summary>
    public int LatestStart(int node) => _latest[node];

    public bool AllowsEnd(int node, int end) => end >= _pinEnd[node];

    public bool AllowsFromZero(int node, int end) => _fromZero[node][end];

    private static int[] Earliest(CutProblem problem, int node)
    {
        var earliest = new int[problem.LayerCount + 1];
        var start = 1;
        for (var end = 1; end <= problem.LayerCount; end++)
        {
            // The last end needs more (head, logits), so the window only ever moves right.
            while (start < end && (problem.NeededBytes(start, end) > problem.FreeBytes[node] || HoldsForeignPin(problem, node, start, end)))
            {
                start++;
            }

            earliest[end] = start;
        }

        return earliest;
    }

    private static bool HoldsForeignPin(CutProblem problem, int node, int start, int end)
    {
        for (var other = 0; other < problem.Pins.Length; other++)
        {
            var (pinFirst, pinEnd) = problem.Pins[other];
            if (other != node && pinFirst >= 0 && start < pinEnd && end > pinFirst)
            {
                return true;
            }
        }

        return false;
    }
}
