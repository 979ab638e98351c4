using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Placement;

/// <summary>What a plan is expected to do, for all objectives.</summary>
/// <param name="DecodeTokensPerSecond">One request, at the plan's full context.</param>
/// <param name="AggregateTokensPerSecond">All requests together at the plan's concurrency.</param>
/// <param name="PrefillTokensPerSecond">Of one prompt.</param>
/// <param name="TimeToFirstTokenSeconds">For the request's prompt length, with the model loaded.</param>
/// <param name="LongestContextTokens">That the same cuts could hold at the plan's concurrency.</param>
internal sealed record PlanPredictions(
    PredictedValue DecodeTokensPerSecond,
    PredictedValue AggregateTokensPerSecond,
    PredictedValue PrefillTokensPerSecond,
    PredictedValue TimeToFirstTokenSeconds,
    int LongestContextTokens);

/// <summary>A prediction with its uncertainty, its parts and where it comes from.</summary>
/// <param name="Low">80 % of cases lie between <paramref name="Low"/> and <paramref name="High"/>.</param>
/// <param name="Parts">Where the time of one step goes, in milliseconds; empty for values that are no step.</param>
/// <param name="Source"><c>published constants …</c> or <c>calibrated on this machine …</c>.</param>
internal sealed record PredictedValue(double Value, double Low, double High, ImmutableArray<PredictionPart> Parts, string Source);

/// <summary>One part of a step's time.</summary>
internal sealed record PredictionPart(string Name, double Milliseconds);

/// <summary>How a plan compares with the best possible one under the predictor.</summary>
/// <param name="IsExact">Every subset, order and cut was considered.</param>
/// <param name="GapShare">The best possible plan is at most this share better: 0 when exact.</param>
/// <param name="Statement">One sentence for people.</param>
internal sealed record PlanOptimality(bool IsExact, double GapShare, string Statement);

/// <summary>The plan beside others.</summary>
/// <param name="BestSingleNode"><see langword="null"/> when no node can hold the model alone.</param>
/// <param name="WithoutNode">What the best plan without each node of the plan would do.</param>
/// <param name="RunnersUp">The best plans with other numbers of nodes, best first.</param>
/// <param name="Verdict">One sentence: use one node, use the cluster, or the cluster only makes it fit.</param>
internal sealed record PlanComparison(
    PlanAlternative? BestSingleNode,
    ImmutableArray<NodeRemoval> WithoutNode,
    ImmutableArray<PlanAlternative> RunnersUp,
    string Verdict);

/// <summary>Another plan, with its predictions.</summary>
internal sealed record PlanAlternative(ImmutableArray<PlacementStage> Stages, PlanPredictions Predictions);

/// <summary>What the objective's value becomes when a node is left out.</summary>
/// <param name="Value">Tokens per second (latency, throughput) or tokens of context (capacity); <see langword="null"/> when nothing fits without it.</param>
/// <param name="ChangeShare">Relative to the plan: −0.14 is 14 % less.</param>
internal sealed record NodeRemoval(string NodeId, double? Value, double? ChangeShare, string Message);
