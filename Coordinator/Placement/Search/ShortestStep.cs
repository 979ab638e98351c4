namespace ClusterLlm.Coordinator.Placement.Search;

/// <summary>The shortest sum of stages for one problem: exact while the number of states allows, bounded above.</summary>
internal sealed class ShortestStep
{
    // About 8 distinct nodes × 126 layers take 0.26 million cells; this is a few milliseconds more.
    private const long MostCells = 1_500_000;

    private readonly CutProblem _problem;
    private readonly EvenCuts _even;
    private readonly ExactSearch? _exact;
    private readonly BoundedSearch? _bounded;
    private double _filledFor = double.NaN;
    private int _filledNodes;

    /// <param name="table">Memory of an earlier search; see <see cref="ExactSearch"/>.</param>
    public ShortestStep(CutProblem problem, SearchTable? table)
    {
        _problem = problem;
        _even = new EvenCuts(problem);
        if (ExactSearch.CellCount(problem) <= MostCells)
        {
            _exact = new ExactSearch(problem, table);
        }
        else
        {
            _bounded = new BoundedSearch(problem);
        }
    }

    public bool IsExact => _exact is not null;

    public CutProblem Problem => _problem;

    public SearchTable? Table => _exact?.Table;

    /// <param name="slowestStage">No stage may take longer, in milliseconds; when it is infinite, cuts that make no difference to the sum are even.</param>
    public CutPlan? Find(SearchLimit limit, double slowestStage) => FindAny(limit, slowestStage) is { } plan
        ? double.IsPositiveInfinity(slowestStage) && plan.Cuts.Length > 1 ? _even.Of(plan) : plan
        : null;

    /// <summary>The shortest round with several batches in flight.</summary>
    public CutPlan? FindRound(SearchLimit limit, int batches, double ceiling, double floor, bool isFine) => _exact is null
        ? _bounded!.Throughput(limit.NodeCount, batches, node => node != limit.WithoutNode, ceiling)
        : ThroughputSearch.Find(slowest => Find(limit, slowest), batches, ceiling, floor, isFine ? ThroughputSearch.Fine : ThroughputSearch.Coarse);

    private CutPlan? FindAny(SearchLimit limit, double slowestStage)
    {
        if (_exact is null)
        {
            return limit.NodeCount switch
            {
                0 => _bounded!.Latency(node => node != limit.WithoutNode),
                1 => Single(limit.WithoutNode, slowestStage),
                _ => _bounded!.Throughput(limit.NodeCount, 2, node => node != limit.WithoutNode, double.PositiveInfinity),
            };
        }

        Fill(slowestStage, limit.NodeCount == 0 ? _problem.NodeCount : limit.NodeCount);
        var without = limit.WithoutNode < 0 ? -1 : _problem.ClassOf[limit.WithoutNode];
        var classes = _exact.Classes;
        return _exact.Best(state =>
            (limit.NodeCount == 0 || classes.NodesIn(state) == limit.NodeCount)
            && (without < 0 || classes.LeavesOne(state, without))
            && classes.HasRequired(state, without)) is { } found
                ? _exact.Trace(found.State, found.Last, found.Milliseconds)
                : null;
    }

    private void Fill(double slowestStage, int nodes)
    {
        if (_filledFor != slowestStage || _filledNodes < nodes)
        {
            _exact!.Run(slowestStage, nodes);
            (_filledFor, _filledNodes) = (slowestStage, nodes);
        }
    }

    private CutPlan? Single(int without, double slowestStage) => Enumerable.Range(0, _problem.NodeCount)
        .Where(node => node != without && _problem.Allows(node, 0, _problem.LayerCount))
        .Select(node => new CutPlan(
            [new Cut(node, 0, _problem.LayerCount)],
            _problem.StageTime(node, 0, _problem.LayerCount),
            _problem.StageTime(node, 0, _problem.LayerCount)))
        .Where(plan => plan.SlowestStage <= slowestStage)
        .MinBy(plan => plan.Milliseconds);
}
