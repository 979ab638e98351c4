using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Comparisons.Verdicts;

/// <summary>Why one candidate is faster: measured times and the terms of the prediction. Pure.</summary>
internal static class Explanations
{
    public static ImmutableArray<string> Of(
        ImmutableArray<CandidateResult> candidates, Questions questions, ImmutableArray<Cell> cells, Candidate winner, Candidate other)
    {
        var why = ImmutableArray.CreateBuilder<string>();
        why.Add(Measured(questions, cells, winner, other));
        foreach (var one in (Candidate[])[winner, other])
        {
            var result = candidates.First(each => each.Candidate.Id == one.Id);
            if (result.Predictions.FirstOrDefault(each => each.Cell == cells[0]) is { } prediction)
            {
                why.Add(Terms(one, prediction));
            }

            if (one.Stages.Length > 1 && result.Stages.MaxBy(stage => stage.WeightBytes) is { } largest)
            {
                why.Add(FormattableString.Invariant(
                    $"The largest stage of {one.Label} is {largest.NodeId}: layers {largest.FirstLayer} to {largest.FirstLayer + largest.LayerCount - 1}, {MemoryRefusal.Gigabytes(largest.WeightBytes)} of weights; {one.Stages.Length - 1} hop(s) follow one another for each token."));
            }
        }

        why.AddRange(AsGood(questions, cells, winner));
        return why.ToImmutable();
    }

    private static string Measured(Questions questions, ImmutableArray<Cell> cells, Candidate winner, Candidate other)
    {
        var (one, two) = (questions.Scores.Mean(winner.Id, cells), questions.Scores.Mean(other.Id, cells));
        return FormattableString.Invariant($"Measured at {string.Join(", ", cells)}: {winner.Label} {one:0.##} tok/s, {other.Label} {two:0.##} tok/s in all.");
    }

    private static string Terms(Candidate one, CellPrediction prediction)
    {
        var parts = prediction.StepParts.Where(part => part.Value > 0).OrderByDescending(part => part.Value)
            .Select(part => FormattableString.Invariant($"{part.Key} {part.Value:0.##} ms"));
        return FormattableString.Invariant(
            $"Predicted for a token of one request on {one.Label}: {string.Join(", ", parts)}, so {prediction.DecodeTokensPerSecond.Value:0.##} tok/s ({prediction.DecodeTokensPerSecond.Low:0.##} to {prediction.DecodeTokensPerSecond.High:0.##}).");
    }

    /// <summary>Of the winner's own side, those that are not slower as far as can be told.</summary>
    private static IEnumerable<string> AsGood(Questions questions, ImmutableArray<Cell> cells, Candidate winner)
    {
        var side = winner.Stages.Length == 1 ? questions.Singles : questions.Clusters;
        var equals = side.Where(one => one.Id != winner.Id && questions.Ratio(winner, one, cells) is { Count: > 1 } ratio && !ratio.IsAbove)
            .Select(one => one.Label).ToArray();
        return equals.Length == 0 ? [] : [$"As good as {winner.Label}, as far as can be told: {string.Join("; ", equals)}."];
    }
}
