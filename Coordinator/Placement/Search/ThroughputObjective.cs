namespace ClusterLlm.Coordinator.Placement.Search;

/// <summary>
/// Most tokens per second over all requests: with one batch in flight the shortest sum of stages, and for engines with micro-batches also
/// the shortest round for every number of nodes.
/// </summary>
/// <param name="machines">Different machines among the nodes: stages on one machine don't run side by side; 1 for engines without micro-batches.</param>
internal sealed class ThroughputObjective(ProblemBuilder builder, PlacementRequest request, int machines) : IObjectiveSearch
{
    private readonly Dictionary<int, ShortestStep> _steps = [];
    private readonly Dictionary<int, double> _leastRounds = [];
    private readonly Dictionary<int, double> _leastStages = [];

    /// <summary>By number of nodes: no plan on all nodes has a shorter round, in milliseconds, and so no plan on fewer of them.</summary>
    private readonly Dictionary<int, double> _leastFound = [];

    public bool IsExact => Step(request.Concurrency).IsExact;

    public Candidate? Find(SearchLimit limit)
    {
        var best = request.AlwaysPipelined && machines > 1 ? OneNode(limit) : OneBatch(limit);
        if (!Pipelines)
        {
            return best;
        }

        var counts = limit.NodeCount == 0 ? Enumerable.Range(2, builder.Nodes.Length - 1) : [limit.NodeCount];
        var isFine = limit == SearchLimit.None;
        foreach (var nodes in counts.Where(nodes => nodes > 1 && nodes <= LayerCount).OrderBy(nodes => LeastRound(nodes, limit)))
        {
            var ceiling = best?.Score ?? double.PositiveInfinity;
            var found = Pipelined(limit with { NodeCount = nodes }, ceiling, isFine);
            if (isFine && IsExact)
            {
                _leastFound[nodes] = (found?.Score ?? ceiling) * request.Concurrency * (1 - ThroughputSearch.Fine);
            }

            best = Better(best, found);
        }

        return best;
    }

    public double Bound()
    {
        var bound = new Bounds(Step(request.Concurrency).Problem).Latency();
        for (var nodes = 2; Pipelines && nodes <= Math.Min(builder.Nodes.Length, LayerCount); nodes++)
        {
            bound = Math.Min(bound, LeastRound(nodes));
        }

        return bound / request.Concurrency;
    }

    private bool Pipelines => machines > 1 && (request.Concurrency > 1 || request.AlwaysPipelined);

    private int LayerCount => Step(request.Concurrency).Problem.LayerCount;

    private Candidate? OneNode(SearchLimit limit) => limit.NodeCount is 0 or 1 ? OneBatch(limit with { NodeCount = 1 }) : null;

    private Candidate? OneBatch(SearchLimit limit) => Step(request.Concurrency).Find(limit, double.PositiveInfinity) is { } plan
        ? new Candidate(plan, plan.Milliseconds / request.Concurrency, request.ContextTokens, 1)
        : null;

    /// <summary>A round of so many nodes within the limit can't be shorter, in milliseconds.</summary>
    private double LeastRound(int nodes, SearchLimit limit) =>
        // Leaving out a node that had to take part lifts a condition: what was found with the condition says nothing then.
        limit.WithoutNode >= 0 && !Step(request.Concurrency).Problem.IsRequired[limit.WithoutNode] && _leastFound.TryGetValue(nodes, out var found)
            ? Math.Max(found, LeastRound(nodes))
            : LeastRound(nodes);

    private double LeastRound(int nodes)
    {
        if (!_leastRounds.TryGetValue(nodes, out var least))
        {
            var (batches, size) = Batches(nodes);
            var bounds = new Bounds(Step(size).Problem);
            _leastStages[nodes] = bounds.SlowestStage(nodes);
            least = Math.Max(bounds.Latency(), batches * _leastStages[nodes]);
            _leastRounds.Add(nodes, least);
        }

        return least;
    }

    private Candidate? Pipelined(SearchLimit limit, double score, bool isFine)
    {
        var (batches, size) = Batches(limit.NodeCount);
        var ceiling = score * request.Concurrency;
        if (LeastRound(limit.NodeCount, limit) >= ceiling)
        {
            return null;
        }

        return Step(size).FindRound(limit, batches, ceiling, _leastStages[limit.NodeCount], isFine) is { } plan
            ? new Candidate(plan, ThroughputSearch.Round(plan, batches) / request.Concurrency, request.ContextTokens, batches)
            : null;
    }

    private (int Batches, int Size) Batches(int nodes)
    {
        var batches = Math.Max(2, Math.Min(Math.Min(nodes, machines), request.Concurrency));
        return (batches, (request.Concurrency + batches - 1) / batches);
    }

    private ShortestStep Step(int batch)
    {
        if (!_steps.TryGetValue(batch, out var step))
        {
            step = new ShortestStep(builder.Build(request.ContextTokens, batch), null);
            _steps.Add(batch, step);
        }

        return step;
    }

    private static Candidate? Better(Candidate? left, Candidate? right) =>
        left is null || (right is not null && right.Score < left.Score - 1e-9) ? right : left;
}
