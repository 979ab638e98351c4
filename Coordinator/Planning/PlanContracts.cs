using System.Collections.Immutable;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Planning;

/// <summary>A prediction with its 80 % band.</summary>
/// <param name="Parts">Where the milliseconds of a step go, by part; empty for values that are no step.</param>
internal sealed record PredictedValueContract(double Value, double Low, double High, ImmutableSortedDictionary<string, double> Parts, string Source)
{
    public static PredictedValueContract From(PredictedValue value) => new(
        Rounded(value.Value),
        Rounded(value.Low),
        Rounded(value.High),
        value.Parts.ToImmutableSortedDictionary(part => part.Name, part => Math.Round(part.Milliseconds, 3), StringComparer.Ordinal),
        value.Source);

    // Three digits are more than a prediction is worth.
    private static double Rounded(double value) => value == 0 ? 0 : Math.Round(value, Math.Clamp(2 - (int)Math.Floor(Math.Log10(Math.Abs(value))), 0, 6));
}

/// <summary>What a plan is expected to do: for one request, for many, and how long a context it holds.</summary>
internal sealed record PredictedContract(
    PredictedValueContract DecodeTokensPerSecond,
    PredictedValueContract AggregateTokensPerSecond,
    PredictedValueContract PrefillTokensPerSecond,
    PredictedValueContract TimeToFirstTokenSeconds,
    int LongestContextTokens)
{
    public static PredictedContract? From(PlanPredictions? predictions) => predictions is null
        ? null
        : new PredictedContract(
            PredictedValueContract.From(predictions.DecodeTokensPerSecond),
            PredictedValueContract.From(predictions.AggregateTokensPerSecond),
            PredictedValueContract.From(predictions.PrefillTokensPerSecond),
            PredictedValueContract.From(predictions.TimeToFirstTokenSeconds),
            predictions.LongestContextTokens);
}

/// <summary>A stage of a plan that has not been started.</summary>
internal sealed record PlannedStageContract(
    string Node, int Rank, int FirstLayer, int LayerCount, long WeightBytes, long KvCacheBytes, long WorkspaceBytes, long TotalBytes)
{
    public static ImmutableArray<PlannedStageContract> From(ImmutableArray<PlacementStage> stages) =>
    [
        .. stages.Select(stage => new PlannedStageContract(
            stage.NodeId, stage.Rank, stage.FirstLayer, stage.LayerCount, stage.WeightBytes, stage.KvCacheBytes, stage.WorkspaceBytes, stage.TotalBytes)),
    ];
}

/// <summary>Which node holds which layers.</summary>
/// <param name="Stages">In pipeline order; the last one is rank 0, which samples.</param>
internal sealed record PlannedContract(
    string Engine,
    string EngineReason,
    int Layers,
    int ContextTokens,
    int Concurrency,
    int MicroBatches,
    long TotalBytes,
    ImmutableArray<PlannedStageContract> Stages,
    ImmutableArray<RejectionContract> Rejections,
    PlanOptimality? Optimality,
    ImmutableArray<string> Assumptions);

/// <summary>Another plan for the same question.</summary>
internal sealed record AlternativeContract(ImmutableArray<PlannedStageContract> Stages, PredictedContract Predicted)
{
    public static AlternativeContract? From(PlanAlternative? alternative) => alternative is null
        ? null
        : new AlternativeContract(PlannedStageContract.From(alternative.Stages), PredictedContract.From(alternative.Predictions)!);
}

/// <summary>The plan beside others.</summary>
internal sealed record ComparisonContract(
    string Verdict, AlternativeContract? BestSingleNode, ImmutableArray<NodeRemoval> WithoutNode, ImmutableArray<AlternativeContract> RunnersUp);

/// <summary>The answer of <c>POST /api/plans</c>.</summary>
/// <param name="Predicted"><see langword="null"/> where no prediction can be made.</param>
/// <param name="Comparison"><see langword="null"/> for manual and balanced plans.</param>
/// <param name="Added">What the machines of <c>add</c> would change.</param>
/// <param name="Notes">What was found out on the way, for example that files differ from the catalogue.</param>
internal sealed record PlanAnswerContract(
    string ModelId,
    PlannedContract Plan,
    PredictedContract? Predicted,
    ComparisonContract? Comparison,
    AddedContract? Added,
    ImmutableArray<string> Notes)
{
    public static PlanAnswerContract From(PlanAnswer.Planned answer) => new(
        answer.Model.Id,
        new PlannedContract(
            answer.Plan.Engine,
            answer.Plan.EngineReason,
            answer.Model.LayerCount,
            answer.Plan.ContextTokens,
            answer.Plan.MaxConcurrency,
            answer.Plan.MicroBatches,
            answer.Plan.Stages.Sum(stage => stage.TotalBytes),
            PlannedStageContract.From(answer.Plan.Stages),
            RejectionContract.From(answer.Plan.Rejections),
            answer.Plan.Optimality,
            answer.Plan.Assumptions),
        PredictedContract.From(answer.Plan.Predictions),
        answer.Plan.Comparison is not { } comparison
            ? null
            : new ComparisonContract(
                comparison.Verdict,
                AlternativeContract.From(comparison.BestSingleNode),
                comparison.WithoutNode,
                [.. comparison.RunnersUp.Select(each => AlternativeContract.From(each)!)]),
        answer.Added is null ? null : AddedContract.From(answer.Added),
        answer.Notes);
}

/// <summary>What more machines would bring.</summary>
internal sealed record AddedContract(string Message, ImmutableArray<PlannedStageContract> Stages, PredictedContract? Predicted)
{
    public static AddedContract From(PlanWithMore more) => new(
        more.Message, more.Plan is null ? [] : PlannedStageContract.From(more.Plan.Stages), PredictedContract.From(more.Plan?.Predictions));
}
