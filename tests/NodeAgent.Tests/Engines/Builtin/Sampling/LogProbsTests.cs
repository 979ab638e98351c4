using ClusterLlm.NodeAgent.Engines.Builtin.Sampling;

namespace ClusterLlm.NodeAgent.Tests.Engines.Builtin.Sampling;

public sealed class LogProbsTests
{
    [Fact]
    public void LogSumExp_LargeVocabulary_EqualsDoublePrecision()
    {
        var random = new Random(3);
        float[] logits = [.. Enumerable.Range(0, 50_001).Select(_ => (float)(random.NextDouble() * 30))];
        Assert.Equal(Math.Log(logits.Sum(logit => Math.Exp(logit))), LogProbs.LogSumExp(logits, new float[logits.Length]), 1e-5);
    }

    [Fact]
    public void Top_MoreThanThereAre_ListsAllInOrder()
    {
        TokenLogProb[] expected = [new(1, 3), new(2, 3), new(0, 1)];
        Assert.Equal(expected, LogProbs.Top([1, 3, 3], 5, 0));
    }

    [Fact]
    public void Top_Zero_IsEmpty() => Assert.Empty(LogProbs.Top([1, 2], 0, 0));
}
