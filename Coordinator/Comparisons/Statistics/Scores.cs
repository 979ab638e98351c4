using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Comparisons.Statistics;

/// <summary>Samples as logarithms of speed, by candidate and round. Pure.</summary>
internal sealed class Scores
{
    private readonly Dictionary<(string Candidate, Cell Cell), SortedDictionary<int, double>> _logs = [];

    public Scores(IEnumerable<Sample> samples)
    {
        foreach (var sample in samples.Where(sample => sample.Counts && sample.AggregateTokensPerSecond > 0))
        {
            if (!_logs.TryGetValue((sample.CandidateId, sample.Cell), out var rounds))
            {
                _logs[(sample.CandidateId, sample.Cell)] = rounds = [];
            }

            rounds[sample.Round] = Math.Log(sample.AggregateTokensPerSecond);
        }
    }

    /// <summary>By round: the mean over the cells, of rounds in which all of them were measured.</summary>
    public ImmutableSortedDictionary<int, double> Of(string candidate, IReadOnlyCollection<Cell> cells)
    {
        var series = cells.Select(cell => _logs.GetValueOrDefault((candidate, cell))).ToArray();
        if (series.Length == 0 || series.Any(rounds => rounds is null))
        {
            return ImmutableSortedDictionary<int, double>.Empty;
        }

        return series[0]!.Keys.Where(round => series.All(rounds => rounds!.ContainsKey(round)))
            .ToImmutableSortedDictionary(round => round, round => series.Average(rounds => rounds![round]));
    }

    /// <summary>How much faster one candidate is than another, over the rounds that both have.</summary>
    /// <param name="tail">Chance on each side that the truth lies outside.</param>
    public RatioEstimate Ratio(string candidate, string other, IReadOnlyCollection<Cell> cells, double tail)
    {
        var (left, right) = (Of(candidate, cells), Of(other, cells));
        return RatioEstimate.Of([.. left.Where(pair => right.ContainsKey(pair.Key)).Select(pair => pair.Value - right[pair.Key])], tail);
    }

    /// <summary>Geometric mean of the speed; NaN when nothing was measured.</summary>
    public double Mean(string candidate, IReadOnlyCollection<Cell> cells) =>
        Of(candidate, cells) is { Count: > 0 } rounds ? Math.Exp(rounds.Values.Average()) : double.NaN;
}
