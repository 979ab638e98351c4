using System.Collections.Immutable;
using System.Text.Json;
using ClusterLlm.Coordinator.Comparisons;
using ClusterLlm.Coordinator.Comparisons.Storage;
using ClusterLlm.Coordinator.Comparisons.Verdicts;
using static ClusterLlm.Coordinator.Tests.Comparisons.ComparisonBuilders;

namespace ClusterLlm.Coordinator.Tests.Comparisons;

public sealed class VerdictTests
{
    private static readonly CandidateResult Node1 = Single("c1", "node-1");
    private static readonly CandidateResult Node2 = Single("c2", "node-2");
    private static readonly CandidateResult Both = Cluster("c3", CandidateState.Measured, "node-1", "node-2");

    [Fact]
    public void Decide_ClusterBetterForManyOnly_SaysSoAndFindsTheBreakEven()
    {
        var verdict = Decide([Node1, Both], (Node1, 1, 20), (Both, 1, 15), (Node1, 2, 30), (Both, 2, 28), (Node1, 4, 40), (Both, 4, 56));

        Assert.Equal((Answer.UseSingle, "c1"), (verdict.OneRequest.Answer, verdict.OneRequest.Winner));
        Assert.Equal((Answer.UseCluster, "c3"), (verdict.ManyRequests.Answer, verdict.ManyRequests.Winner));
        Assert.Equal(1.4, verdict.ManyRequests.Factor!.Value, 0.02);
        Assert.InRange(verdict.BreakEven!.Concurrency!.Value, 2, 4);
        Assert.Contains("One request: use one node, node-1 alone", verdict.Headline);
    }

    [Fact]
    public void Decide_EqualWithinTheMargin_IsNoRealDifference()
    {
        var verdict = Decide([Node1, Both], (Node1, 1, 20), (Both, 1, 20.2));

        Assert.Equal(Answer.NoRealDifference, verdict.OneRequest.Answer);
        Assert.Equal("No real difference between the cluster and one node.", verdict.Headline);
    }

    [Fact]
    public void Decide_CertainButTiny_IsNoReasonToChoose() =>
        Assert.Equal(Answer.NoRealDifference, Decide([Node1, Both], (Node1, 1, 20), (Both, 1, 20.5)).OneRequest.Answer);

    [Fact]
    public void Decide_ClusterBeatsOnlyTheSlowNode_NamesTheFastNode()
    {
        var verdict = Decide([Node1, Node2, Both], (Node1, 1, 20), (Node2, 1, 5), (Both, 1, 10));

        Assert.Equal((Answer.UseSingle, "c1", "c3"), (verdict.OneRequest.Answer, verdict.OneRequest.Winner, verdict.OneRequest.Against));
    }

    [Fact]
    public void Decide_EqualNodes_SaysThatTheOtherIsAsGood() =>
        Assert.Contains(Decide([Node1, Node2, Both], (Node1, 1, 20), (Node2, 1, 20), (Both, 1, 10)).OneRequest.Why, why => why.StartsWith("As good as", StringComparison.Ordinal));

    [Fact]
    public void Decide_NoNodeHoldsIt_OnlyTheClusterCan()
    {
        var verdict = Decide([Node1 with { State = CandidateState.Refused, Reason = "needs 9 bytes" }, Both], (Both, 1, 10));

        Assert.Equal((Answer.OnlyCluster, Answer.OnlyCluster), (verdict.OneRequest.Answer, verdict.Memory.Answer));
        Assert.Contains("needs 9 bytes", string.Join(' ', verdict.OneRequest.Why));
    }

    [Fact]
    public void Decide_WrongCandidate_IsNeverRanked()
    {
        var wrong = Both with { State = CandidateState.Wrong };
        var verdict = Decide([Node1, wrong], (Node1, 1, 20), (wrong, 1, 200));

        Assert.Equal((Answer.OnlySingle, "c1"), (verdict.OneRequest.Answer, verdict.OneRequest.Winner));
    }

    [Fact]
    public void Decide_SmallerModel_IsShownAndNotRanked()
    {
        var smaller = Single("c9", "node-1");
        smaller = smaller with { Candidate = smaller.Candidate with { Kind = CandidateKind.Smaller } };

        Assert.Equal("c1", Decide([Node1, smaller, Both], (Node1, 1, 20), (smaller, 1, 200), (Both, 1, 10)).OneRequest.Winner);
    }

    [Fact]
    public void Decide_OneRoundOnly_NamesNoWinner()
    {
        var verdict = VerdictMaker.Decide([Node1, Both], [At(1)], [Sample("c1", 0, At(1), 10), Sample("c3", 0, At(1), 90)], VerdictRule.Default);

        Assert.Equal((Answer.Undecided, null), (verdict.OneRequest.Answer, verdict.OneRequest.Factor));
    }

    [Fact]
    public void Decide_TwoRoundsFarApart_SaysThatTheyAreTooFewInsteadOfAnAbsurdInterval()
    {
        var verdict = VerdictMaker.Decide(
            [Node1, Both], [At(1)], [Sample("c1", 0, At(1), 20), Sample("c3", 0, At(1), 10), Sample("c1", 1, At(1), 20), Sample("c3", 1, At(1), 40)], VerdictRule.Default);

        Assert.Equal((Answer.Undecided, null), (verdict.OneRequest.Answer, verdict.OneRequest.Factor));
        Assert.Null(verdict.Cells.Single().Factor);
        Assert.Contains("too few rounds are complete to say", verdict.OneRequest.Sentence);
    }

    [Fact]
    public void Decide_RoundsWhoseIntervalOverflows_CanBeKeptAsJson()
    {
        var verdict = VerdictMaker.Decide(
            [Node1, Both], [At(1)], [Sample("c1", 0, At(1), 20), Sample("c3", 0, At(1), 1e-60), Sample("c1", 1, At(1), 1e-60), Sample("c3", 1, At(1), 1e60)], VerdictRule.Default);

        Assert.Contains("too few rounds", JsonSerializer.Serialize(verdict, ComparisonStore.Json));
    }

    [Fact]
    public void Decide_NoisyOtherCluster_NamesTheOneThatIsInDoubt()
    {
        var noisy = Cluster("c4", CandidateState.Measured, "node-2", "node-1");
        ImmutableArray<Sample> samples =
        [
            .. Rounds("c1", At(1), 20), .. Rounds("c3", At(1), 15),
            .. Enumerable.Range(0, 6).Select(round => Sample("c4", round, At(1), round % 2 == 0 ? 5 : 30)),
        ];

        var finding = VerdictMaker.Decide([Node1, Both, noisy], [At(1)], samples, VerdictRule.Default).OneRequest;

        Assert.Equal((Answer.Undecided, "c1", "c3"), (finding.Answer, finding.Winner, finding.Against));
        Assert.Matches("as fast as node-1 \\+ node-2 .*, and x.* as fast as node-2 \\+ node-1 ", finding.Sentence);
    }

    [Fact]
    public void Decide_SamplesThatDoNotCount_AreNotUsed()
    {
        var samples = Rounds("c1", At(1), 20).Concat(Rounds("c3", At(1), 10)).Concat(Rounds("c3", At(1), 900).Select(sample => sample with { Round = sample.Round + 100, Problem = "cached" }));

        Assert.Equal(Answer.UseSingle, VerdictMaker.Decide([Node1, Both], [At(1)], [.. samples], VerdictRule.Default).OneRequest.Answer);
    }

    [Fact]
    public void Decide_NothingMeasured_SaysNothing() => Assert.Equal(Answer.Nothing, VerdictMaker.Decide([], [], [], VerdictRule.Default).OneRequest.Answer);

    [Theory]
    [InlineData(0.8, 0.9, null, "not faster")]
    [InlineData(1.1, 1.3, null, "at every measured number")]
    [InlineData(0.5, 2.0, 2.0, "between 1 and 4")]
    public void BreakEven_Series_IsSaid(double atOne, double atFour, double? at, string words)
    {
        ImmutableArray<CellFinding> cells = [new(At(1), "k", "s", Sure(atOne)), new(At(4), "k", "s", Sure(atFour))];

        var found = BreakEvens.Find(cells)!;

        Assert.Equal(at, found.Concurrency is { } value ? Math.Round(value, 6) : null);
        Assert.Contains(words, found.Sentence);
    }

    private static Interval Sure(double value) => new(value, value * 0.99, value * 1.01);

    private static Verdict Decide(ImmutableArray<CandidateResult> candidates, params (CandidateResult One, int Concurrency, double TokensPerSecond)[] measured) => VerdictMaker.Decide(
        candidates,
        [.. measured.Select(one => At(one.Concurrency)).Distinct()],
        [.. measured.SelectMany(one => Rounds(one.One.Candidate.Id, At(one.Concurrency), one.TokensPerSecond))],
        VerdictRule.Default);
}
