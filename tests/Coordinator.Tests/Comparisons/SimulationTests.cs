using System.Collections.Immutable;
using ClusterLlm.Coordinator.Comparisons;
using ClusterLlm.Coordinator.Comparisons.Statistics;
using ClusterLlm.Coordinator.Comparisons.Verdicts;

namespace ClusterLlm.Coordinator.Tests.Comparisons;

/// <summary>The whole decision, with its default settings, on measurements whose truth is known.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private const int Comparisons = 1000;

    // Of one visit to the next on a Mac: 1 to 3 % is what benchmarks print. All candidates share what drifts over a round.
    private const double Noise = 0.03;
    private const double Drift = 0.05;
    private static readonly ImmutableArray<int> Concurrency = [1, 2, 4, 8];

    [Theory]
    [InlineData(1, 1, 11)]
    [InlineData(3, 3, 12)]
    public void Decide_EqualCandidates_ClaimsAWinnerInFewerThanOneOfTwenty(int singles, int clusters, int seed)
    {
        var (wrong, rounds) = Run(singles, clusters, gain: 1, Noise, seed, verdict => Claims(verdict.OneRequest) || Claims(verdict.ManyRequests));

        output.WriteLine($"{singles} nodes, {clusters} clusters, all equal: a winner in {wrong} of {Comparisons}; {rounds:0.0} rounds");
        Assert.InRange(wrong, 0, Comparisons / 20);
    }

    [Theory]
    [InlineData(1, 1, 21)]
    [InlineData(3, 3, 22)]
    public void Decide_ClusterIsTenPercentFaster_IsFoundInFourOfFive(int singles, int clusters, int seed)
    {
        var (found, rounds) = Run(singles, clusters, gain: 1.1, Noise, seed, verdict => verdict.OneRequest.Answer == Answer.UseCluster);

        output.WriteLine($"{singles} nodes, {clusters} clusters, one of them 10 % faster: found in {found} of {Comparisons}; {rounds:0.0} rounds");
        Assert.InRange(found, Comparisons * 8 / 10, Comparisons);
    }

    [Fact]
    public void Decide_NoisyEquals_StillClaimsAWinnerInFewerThanOneOfTwenty()
    {
        var (wrong, rounds) = Run(2, 2, gain: 1, 0.15, 31, verdict => Claims(verdict.OneRequest) || Claims(verdict.ManyRequests));

        output.WriteLine($"15 % of noise: a winner among equals in {wrong} of {Comparisons}; {rounds:0.0} rounds");
        Assert.InRange(wrong, 0, Comparisons / 20);
    }

    private static bool Claims(Finding finding) => finding.Answer is Answer.UseCluster or Answer.UseSingle;

    /// <summary>Rounds until the policy has enough, as the runner does it; counts the comparisons that the predicate holds for.</summary>
    private static (int Count, double Rounds) Run(int singles, int clusters, double gain, double noise, int seed, Func<Verdict, bool> counts)
    {
        var random = new Random(seed);
        ImmutableArray<CandidateResult> candidates =
        [
            .. Enumerable.Range(1, singles).Select(index => ComparisonBuilders.Single($"s{index}", $"node-{index}")),
            .. Enumerable.Range(1, clusters).Select(index => ComparisonBuilders.Cluster($"k{index}", CandidateState.Measured, "node-1", $"node-{index + 1}")),
        ];
        ImmutableArray<Cell> cells = [.. Concurrency.Select(ComparisonBuilders.At)];
        var (count, rounds) = (0, 0);
        for (var comparison = 0; comparison < Comparisons; comparison++)
        {
            ImmutableArray<Sample> samples = [];
            var round = 0;
            while (!RepeatPolicy.IsEnough(candidates, cells, samples, round, RepeatRule.Default))
            {
                var drift = Drift * Normal(random);
                samples = [.. samples, .. from one in candidates from cell in cells select ComparisonBuilders.Sample(
                    one.Candidate.Id, round, cell, (one.Candidate.Id == "k1" ? gain : 1) * 20 * cell.Concurrency * Math.Exp(drift + (noise * Normal(random))))];
                round++;
            }

            rounds += round;
            count += counts(VerdictMaker.Decide(candidates, cells, samples, VerdictRule.Default)) ? 1 : 0;
        }

        return (count, (double)rounds / Comparisons);
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
