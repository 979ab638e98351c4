namespace ClusterLlm.Coordinator.Placement;

/// <summary>Says in a sentence whether a cluster is worth it: three different questions, fits at all, one request, many requests.</summary>
internal static class Verdicts
{
    public static string Name(PlacementObjective objective) => objective switch
    {
        PlacementObjective.Latency => "one request",
        PlacementObjective.Throughput => "many requests",
        PlacementObjective.Capacity => "the longest context",
        _ => "an even load",
    };

    public static string Say(PlacementRequest request, PlanAlternative best, PlanAlternative? single, int candidates)
    {
        var count = best.Stages.Length;
        if (single is null)
        {
            return $"Only the cluster makes it fit: no single node holds the model with {request.ContextTokens} tokens of context; {count} nodes do.";
        }

        if (count == 1)
        {
            return candidates == 1
                ? $"One node, {best.Stages[0].NodeId}, holds it; there is no other."
                : $"Use one node, {best.Stages[0].NodeId}: more nodes would not be better for {Name(request.Objective)}.";
        }

        return request.Objective switch
        {
            PlacementObjective.Throughput => Compared("many requests", best.Predictions.AggregateTokensPerSecond.Value, single.Predictions.AggregateTokensPerSecond.Value),
            PlacementObjective.Capacity => FormattableString.Invariant(
                $"Use {count} nodes: they hold {best.Predictions.LongestContextTokens} tokens of context, one node {single.Predictions.LongestContextTokens}."),
            _ => Compared("one request", best.Predictions.DecodeTokensPerSecond.Value, single.Predictions.DecodeTokensPerSecond.Value),
        };

        string Compared(string what, double cluster, double one) => FormattableString.Invariant(
            $"Use {count} nodes: {cluster:0.##} tok/s for {what}, against {one:0.##} on {single.Stages[0].NodeId} alone (x{cluster / one:0.00}).");
    }
}
