namespace ClusterLlm.Coordinator.Placement.Search;

/// <summary>
/// Groups interchangeable nodes. A state says how many nodes of each class are used, as digits of a number: distinct nodes make a bit each,
/// eight equal ones make nine states instead of 256.
/// </summary>
internal sealed class NodeClasses
{
    private readonly int[][] _members;
    private readonly int[] _strides;
    private readonly double[,] _hop;
    private readonly int[] _required;

    public NodeClasses(CutProblem problem)
    {
        Count = problem.ClassOf.Length == 0 ? 0 : problem.ClassOf.Max() + 1;
        _members = [.. Enumerable.Range(0, Count).Select(which =>
            Enumerable.Range(0, problem.NodeCount).Where(node => problem.ClassOf[node] == which).ToArray())];
        _strides = new int[Count];
        _hop = new double[Count, problem.NodeCount];
        _required = [.. _members.Select(members => members.Count(node => problem.IsRequired[node]))];
        StateCountOrMax = 1;
        for (var which = 0; which < Count; which++)
        {
            _strides[which] = (int)Math.Min(StateCountOrMax, int.MaxValue);
            StateCountOrMax = Math.Min(StateCountOrMax * (_members[which].Length + 1), long.MaxValue / 1_000_000);
            for (var node = 0; node < problem.NodeCount; node++)
            {
                // Within a class every pair has the same hop; a node has none to itself.
                var other = _members[which].FirstOrDefault(member => member != node, node);
                _hop[which, node] = other == node ? 0 : problem.Hop[other, node];
            }
        }
    }

    public int Count { get; }

    /// <summary>Number of states, or a very large number when there are more.</summary>
    public long StateCountOrMax { get; }

    public int StateCount => (int)StateCountOrMax;

    public int[] Members(int which) => _members[which];

    public int Stride(int which) => _strides[which];

    public double Hop(int fromClass, int toNode) => _hop[fromClass, toNode];

    public int Used(int state, int which) => state / _strides[which] % (_members[which].Length + 1);

    public int NodesIn(int state)
    {
        var nodes = 0;
        for (var which = 0; which < Count; which++)
        {
            nodes += Used(state, which);
        }

        return nodes;
    }

    /// <summary>True when the state uses every node that must be used.</summary>
    /// <param name="exceptOneOf">A class of which one node may be missing; −1 for none.</param>
    public bool HasRequired(int state, int exceptOneOf)
    {
        for (var which = 0; which < Count; which++)
        {
            if (Used(state, which) < _required[which] - (which == exceptOneOf ? 1 : 0))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>True when the state leaves at least one node of the class unused.</summary>
    public bool LeavesOne(int state, int which) => Used(state, which) < _members[which].Length;
}
