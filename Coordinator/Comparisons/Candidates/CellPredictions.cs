using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Coordinator.Comparisons.Candidates;

/// <summary>What is expected of a plan at each cell, by the definitions that it is measured with. Pure.</summary>
internal static class CellPredictions
{
    /// <param name="plans">For each shape of the question.</param>
    public static ImmutableArray<CellPrediction> Of(CandidateQuestion question, ImmutableArray<PlacementPlan> plans, ImmutableArray<Cell> cells) =>
        question.Cluster.Knowledge is { } knowledge
            ?
            [
                .. from cell in cells
                   let shape = question.Shapes.First(shape => shape.Workloads.Contains(cell.Workload))
                   select Of(question.Cluster, knowledge, question.Model, plans[question.Shapes.IndexOf(shape)], cell),
            ]
            : [];

    private static CellPrediction Of(ClusterSnapshot cluster, PlanningKnowledge knowledge, ModelSpec model, PlacementPlan plan, Cell cell)
    {
        ImmutableArray<ManualStage> cuts = [.. plan.Stages.Select(stage => new ManualStage(stage.NodeId, stage.FirstLayer, stage.FirstLayer + stage.LayerCount))];
        var request = new PlacementRequest(PlacementObjective.Balanced, plan.ContextTokens, cell.Concurrency, plan.Engine, [], cuts) { PromptTokens = cell.Workload.PromptTokens };
        // The middle of the answer stands for all of it.
        var context = cell.Workload.PromptTokens + (cell.Workload.OutputTokens / 2);
        var all = new PlanPredictor(cluster, knowledge, model, request).Predict(EngineFacts.Of(plan.Engine), cuts, context, plan.MicroBatches);
        return new CellPrediction(
            cell,
            new Predicted(
                Aggregate(cell, all.PrefillTokensPerSecond.Value, all.AggregateTokensPerSecond.Value),
                Aggregate(cell, all.PrefillTokensPerSecond.Low, all.AggregateTokensPerSecond.Low),
                Aggregate(cell, all.PrefillTokensPerSecond.High, all.AggregateTokensPerSecond.High)),
            Value(all.DecodeTokensPerSecond),
            Value(all.PrefillTokensPerSecond),
            Value(all.TimeToFirstTokenSeconds),
            all.DecodeTokensPerSecond.Parts.ToImmutableSortedDictionary(part => part.Name, part => part.Milliseconds, StringComparer.Ordinal),
            all.DecodeTokensPerSecond.Source);
    }

    /// <summary>All tokens / (the prompts one after the other, then the answers together): aggregate speed is measured from the first request on.</summary>
    private static double Aggregate(Cell cell, double prefill, double decodeTogether)
    {
        var (prompts, outputs) = ((double)cell.Concurrency * cell.Workload.PromptTokens, (double)cell.Concurrency * cell.Workload.OutputTokens);
        return outputs / ((prompts / prefill) + (outputs / decodeTogether));
    }

    private static Predicted Value(PredictedValue value) => new(value.Value, value.Low, value.High);
}
