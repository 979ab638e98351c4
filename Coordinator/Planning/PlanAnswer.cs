using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Planning;

/// <summary>The answer to a planning question.</summary>
internal abstract record PlanAnswer
{
    private PlanAnswer()
    {
    }

    internal sealed record Planned(ModelSpec Model, PlacementPlan Plan, PlanWithMore? Added, ImmutableArray<string> Notes) : PlanAnswer;

    internal sealed record Refused(string Summary, ImmutableArray<Rejection> Rejections, PlanWithMore? Added) : PlanAnswer;

    internal sealed record NoModel(string Message, ImmutableArray<string> Nearest) : PlanAnswer;
}

/// <summary>The plan with further machines.</summary>
/// <param name="Plan"><see langword="null"/> when it does not fit even so.</param>
internal sealed record PlanWithMore(PlacementPlan? Plan, string Message);
