using System.Numerics;

namespace ClusterLlm.Coordinator.Placement.Search;

/// <summary>
/// The shortest sum of stage times and hops over all subsets, orders and cuts, by dynamic programming over (how many nodes of each class are
/// used, class of the last one, layers placed). For a given last node the best predecessor and the best cut separate, and the cut is a
/// sliding-window minimum, since memory limits only from where a stage may begin. Work: states × classes × (classes + layers).
/// </summary>
internal sealed class ExactSearch
{
    private const double Infeasible = double.PositiveInfinity;

    private readonly CutProblem _problem;
    private readonly NodeClasses _classes;
    private readonly StageWindows _windows;
    private readonly int _width;
    private readonly double[] _best;
    private readonly short[] _cut;
    private readonly double[] _reach;
    private readonly int[] _queue;

    /// <param name="table">Of an earlier search that is not asked any more; <see langword="null"/> for a new one.</param>
    public ExactSearch(CutProblem problem, SearchTable? table)
    {
        _problem = problem;
        _classes = new NodeClasses(problem);
        _windows = new StageWindows(problem);
        _width = problem.LayerCount + 1;
        var cells = _classes.StateCount * _classes.Count * _width;
        Table = table is not null && table.Best.Length >= cells ? table : new SearchTable(cells);
        _best = Table.Best;
        _cut = Table.Cut;
        _reach = new double[_width];
        _queue = new int[_width];
    }

    public NodeClasses Classes => _classes;

    public SearchTable Table { get; }

    /// <summary>Cells that an exact search of this problem takes: what decides whether it is tried.</summary>
    public static long CellCount(CutProblem problem)
    {
        var classes = new NodeClasses(problem);
        return classes.StateCountOrMax * classes.Count * (problem.LayerCount + 1L);
    }

    /// <summary>Fills the table for stages that take at most <paramref name="slowestStage"/> milliseconds, on at most so many nodes.</summary>
    public void Run(double slowestStage, int mostNodes)
    {
        for (var state = 1; state < _classes.StateCount; state++)
        {
            if (_classes.NodesIn(state) > mostNodes)
            {
                continue;
            }

            for (var last = 0; last < _classes.Count; last++)
            {
                if (_classes.Used(state, last) > 0)
                {
                    Fill(state, last, slowestStage);
                }
            }
        }
    }

    /// <summary>The best of the states that <paramref name="accepts"/>; <see langword="null"/> when none is feasible. Ties go to the first state.</summary>
    public (int State, int Last, double Milliseconds)? Best(Func<int, bool> accepts)
    {
        (int State, int Last, double Milliseconds)? best = null;
        for (var state = 1; state < _classes.StateCount; state++)
        {
            if (!accepts(state))
            {
                continue;
            }

            for (var last = 0; last < _classes.Count; last++)
            {
                var value = _classes.Used(state, last) > 0 ? _best[Cell(state, last) + _problem.LayerCount] : Infeasible;
                if (value < (best?.Milliseconds ?? Infeasible) - 1e-9)
                {
                    best = (state, last, value);
                }
            }
        }

        return best;
    }

    /// <summary>The stages of a state's best plan.</summary>
    public CutPlan Trace(int state, int last, double milliseconds)
    {
        var cuts = new List<(int Class, int First, int End)>();
        var end = _problem.LayerCount;
        while (true)
        {
            var cell = Cell(state, last) + end;
            cuts.Add((last, _cut[cell], end));
            end = _cut[cell];
            state -= _classes.Stride(last);
            if (state == 0)
            {
                break;
            }

            last = Previous(state, _classes.Members(last)[0], end);
        }

        cuts.Reverse();
        var taken = new int[_classes.Count];
        var stages = cuts.Select(cut => new Cut(_classes.Members(cut.Class)[taken[cut.Class]++], cut.First, cut.End)).ToArray();
        return new CutPlan(stages, milliseconds, stages.Max(cut => _problem.StageTime(cut.Node, cut.First, cut.End)));
    }

    private int Cell(int state, int last) => ((state * _classes.Count) + last) * _width;

    private void Fill(int state, int last, double slowestStage)
    {
        var cell = Cell(state, last);
        Array.Fill(_best, Infeasible, cell, _width);
        var before = state - _classes.Stride(last);
        var node = _classes.Members(last)[0];
        if (before == 0)
        {
            FillFirst(cell, node, slowestStage);
            return;
        }

        FindReach(before, node);
        FillLater(cell, node, slowestStage);
    }

    private void FillFirst(int cell, int node, double slowestStage)
    {
        for (var end = 1; end <= _problem.LayerCount; end++)
        {
            if (_windows.AllowsFromZero(node, end) && _problem.StageTime(node, 0, end) <= slowestStage)
            {
                _best[cell + end] = _problem.StageTime(node, 0, end);
                _cut[cell + end] = 0;
            }
        }
    }

    /// <summary>For each number of layers already placed: the cheapest way there, with the hop to the node.</summary>
    private void FindReach(int before, int node)
    {
        Array.Fill(_reach, Infeasible);
        for (var previous = 0; previous < _classes.Count; previous++)
        {
            if (_classes.Used(before, previous) == 0)
            {
                continue;
            }

            Lower(_best.AsSpan(Cell(before, previous), _width), _classes.Hop(previous, node), _reach);
        }
    }

    /// <summary>least[i] = min(least[i], values[i] + addend): most of a search's work, hence by vectors.</summary>
    private static void Lower(ReadOnlySpan<double> values, double addend, Span<double> least)
    {
        var index = 0;
        for (; index <= values.Length - Vector<double>.Count; index += Vector<double>.Count)
        {
            var value = new Vector<double>(values[index..]) + new Vector<double>(addend);
            Vector.Min(value, new Vector<double>(least[index..])).CopyTo(least[index..]);
        }

        for (; index < values.Length; index++)
        {
            least[index] = Math.Min(least[index], values[index] + addend);
        }
    }

    /// <summary>The class of the stage before: of those that reach so many layers, the one that <see cref="FindReach"/> took.</summary>
    private int Previous(int before, int node, int placed)
    {
        var best = (Class: -1, Milliseconds: Infeasible);
        for (var previous = 0; previous < _classes.Count; previous++)
        {
            if (_classes.Used(before, previous) > 0
                && _best[Cell(before, previous) + placed] + _classes.Hop(previous, node) is var value && value < best.Milliseconds)
            {
                best = (previous, value);
            }
        }

        return best.Class;
    }

    private void FillLater(int cell, int node, double slowestStage)
    {
        var time = _problem.LayerTime[node];
        var head = 0;
        var tail = 0;
        var next = 1;
        for (var end = 2; end <= _problem.LayerCount; end++)
        {
            var isEnd = end == _problem.LayerCount;
            var extra = isEnd ? _problem.LastTime[node] : 0;
            for (var newest = Math.Min(end - 1, _windows.LatestStart(node)); next <= newest; next++)
            {
                var key = _reach[next] - time[next];
                while (tail > head && _reach[_queue[tail - 1]] - time[_queue[tail - 1]] > key)
                {
                    tail--;
                }

                _queue[tail++] = next;
            }

            var earliest = _windows.EarliestStart(node, end);
            while (head < tail && (_queue[head] < earliest || time[end] - time[_queue[head]] + extra > slowestStage))
            {
                head++;
            }

            if (head < tail && _windows.AllowsEnd(node, end) && !double.IsPositiveInfinity(_reach[_queue[head]]))
            {
                var start = _queue[head];
                _best[cell + end] = _reach[start] + time[end] - time[start] + extra;
                _cut[cell + end] = (short)start;
            }
        }
    }
}

/// <summary>The memory of a search: by far its largest part, so that searches one after the other share it.</summary>
internal sealed class SearchTable(int cells)
{
    public double[] Best { get; } = new double[cells];

    public short[] Cut { get; } = new short[cells];
}
