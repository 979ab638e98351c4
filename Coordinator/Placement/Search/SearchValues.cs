namespace ClusterLlm.Coordinator.Placement.Search;

/// <summary>A found plan with what it is worth.</summary>
/// <param name="Score">Smaller is better: milliseconds per token (latency, throughput), −tokens of context (capacity).</param>
/// <param name="ContextTokens">That the plan holds.</param>
/// <param name="MicroBatches">Batches in flight at once.</param>
internal sealed record Candidate(CutPlan Plan, double Score, int ContextTokens, int MicroBatches);

/// <summary>Narrows a search.</summary>
/// <param name="WithoutNode">This node is not used; −1 for none.</param>
/// <param name="NodeCount">Exactly so many nodes; 0 for any number.</param>
internal readonly record struct SearchLimit(int WithoutNode, int NodeCount)
{
    public static SearchLimit None { get; } = new(-1, 0);
}

/// <summary>Finds the best plan for one objective on one engine.</summary>
internal interface IObjectiveSearch
{
    /// <summary>True when every subset, order and cut is considered.</summary>
    bool IsExact { get; }

    Candidate? Find(SearchLimit limit);

    /// <summary>A score that no plan can fall below.</summary>
    double Bound();
}
