namespace ClusterLlm.Coordinator.Placement.Search;

/// <summary>One request as fast as possible: the shortest sum of stages and hops.</summary>
internal sealed class LatencyObjective(ProblemBuilder builder, PlacementRequest request, int microBatches) : IObjectiveSearch
{
    private readonly ShortestStep _step = new(builder.Build(request.ContextTokens, 1), null);

    public bool IsExact => _step.IsExact;

    public Candidate? Find(SearchLimit limit) => _step.Find(limit, double.PositiveInfinity) is { } plan
        ? new Candidate(plan, plan.Milliseconds, request.ContextTokens, Math.Min(microBatches, plan.Cuts.Length))
        : null;

    public double Bound() => new Bounds(_step.Problem).Latency();
}
