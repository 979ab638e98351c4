namespace ClusterLlm.Coordinator.Placement.Search;

/// <summary>The longest context that fits, and then the fewest nodes, and then the shortest step.</summary>
/// <param name="mostTokens">The model's own limit; ≥ the request's context.</param>
internal sealed class CapacityObjective(ProblemBuilder builder, PlacementRequest request, int mostTokens, int microBatches) : IObjectiveSearch
{
    private readonly Dictionary<int, Feasibility> _checked = [];
    private SearchTable? _table;

    public bool IsExact => Check(request.ContextTokens).IsExact;

    public Candidate? Find(SearchLimit limit)
    {
        if (!Fits(request.ContextTokens, limit))
        {
            return null;
        }

        var context = Longest(tokens => Fits(tokens, limit));
        var step = new ShortestStep(builder.Build(context, 1), _table);
        _table = step.Table;
        var fewest = Check(context).FewestNodes(limit);
        var plan = step.Find(limit with { NodeCount = fewest }, double.PositiveInfinity) ?? step.Find(limit with { NodeCount = 0 }, double.PositiveInfinity);
        return plan is null ? null : new Candidate(plan, -context, context, Math.Min(microBatches, plan.Cuts.Length));
    }

    public double Bound() => -Longest(tokens => !double.IsPositiveInfinity(new Bounds(builder.Build(tokens, request.ContextTokens, 1)).Latency()));

    private bool Fits(int tokens, SearchLimit limit) => Check(tokens).FewestNodes(limit) > 0;

    private Feasibility Check(int tokens)
    {
        if (!_checked.TryGetValue(tokens, out var check))
        {
            check = new Feasibility(builder.Build(tokens, request.ContextTokens, 1));
            _checked.Add(tokens, check);
        }

        return check;
    }

    private int Longest(Func<int, bool> fits)
    {
        if (fits(mostTokens))
        {
            return mostTokens;
        }

        var (low, high) = (request.ContextTokens, mostTokens);
        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            (low, high) = fits(middle) ? (middle, high) : (low, middle);
        }

        return low;
    }
}
