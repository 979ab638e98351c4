using System.Collections.Immutable;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Engines.Builtin.Sampling;

namespace ClusterLlm.NodeAgent.Tests.Engines.Builtin.Sampling;

public sealed class TokenSamplerTests
{
    private static readonly SamplingSettings Plain = SamplingSettings.Greedy with { Temperature = 1, Seed = 17 };

    [Fact]
    public void Sample_Greedy_TakesBestToken() => Assert.Equal(2, Sample(SamplingSettings.Greedy, [0, 1, 5, 4]));

    [Fact]
    public void Sample_Temperature_DrawsInProportion()
    {
        float[] logits = [MathF.Log(0.5f), MathF.Log(0.3f), MathF.Log(0.2f)];
        var counts = Draw(Plain, logits, 20_000);
        Assert.Equal(0.5, counts[0], 0.015);
        Assert.Equal(0.3, counts[1], 0.015);
        Assert.Equal(0.2, counts[2], 0.015);
    }

    [Fact]
    public void Sample_HighTemperature_FlattensTheDistribution()
    {
        float[] logits = [2 * MathF.Log(0.8f), 2 * MathF.Log(0.2f)];
        Assert.Equal(0.8, Draw(Plain with { Temperature = 2 }, logits, 20_000)[0], 0.015);
    }

    [Fact]
    public void Sample_SameSeed_DrawsSameTokens()
    {
        float[] logits = [.. Enumerable.Range(0, 50).Select(index => index * 0.05f)];
        Assert.Equal(DrawTokens(Plain, logits, 100), DrawTokens(Plain, logits, 100));
        Assert.NotEqual(DrawTokens(Plain, logits, 100), DrawTokens(Plain with { Seed = 18 }, logits, 100));
    }

    [Theory]
    [InlineData(2, 1.0, 0.0, 2)]
    [InlineData(0, 0.75, 0.0, 2)]
    [InlineData(0, 0.0, 0.0, 1)]
    [InlineData(0, 1.0, 0.45, 2)]
    [InlineData(0, 1.0, 0.0, 4)]
    public void Sample_TopKTopPMinP_KeepsOnlyLikelyTokens(int topK, double topP, double minP, int kept)
    {
        float[] logits = [MathF.Log(0.1f), MathF.Log(0.5f), MathF.Log(0.15f), MathF.Log(0.25f)];
        var settings = Plain with { TopK = topK, TopP = topP, MinP = minP };
        int[] byLikelihood = [1, 3, 2, 0];
        Assert.Equal(byLikelihood[..kept].Order(), DrawTokens(settings, logits, 2_000).Distinct().Order());
    }

    [Fact]
    public void Sample_RepetitionPenalty_CountsPromptAndAnswer()
    {
        var sampler = new TokenSampler(SamplingSettings.Greedy with { RepetitionPenalty = 2 }, [0]);
        float[] logits = [5, 4, 3];
        Assert.Equal(1, sampler.Sample(logits));
        Assert.Equal(2, sampler.Sample(logits));
    }

    [Fact]
    public void Sample_PresenceAndFrequencyPenalty_CountAnswerOnly()
    {
        var sampler = new TokenSampler(SamplingSettings.Greedy with { PresencePenalty = 0.5, FrequencyPenalty = 0.3 }, [0, 0, 0]);
        float[] logits = [5, 4.3f];
        Assert.Equal([0, 1, 0, 0, 0, 1], Enumerable.Range(0, 6).Select(_ => sampler.Sample(logits)));
    }

    [Fact]
    public void Sample_LogitBias_IsAdded() =>
        Assert.Equal(1, Sample(SamplingSettings.Greedy with { LogitBias = ImmutableDictionary<int, float>.Empty.Add(1, 100).Add(2, -100) }, [5, 1, 9]));

    [Fact]
    public void Sample_NoFiniteLogit_FailsThisRequest() =>
        Assert.Equal(500, Assert.Throws<GenerationException>(() => Sample(SamplingSettings.Greedy, [1, float.NaN, 2])).Status);

    private static int Sample(SamplingSettings settings, float[] logits) => new TokenSampler(settings, []).Sample(logits);

    private static int[] DrawTokens(SamplingSettings settings, float[] logits, int count)
    {
        var sampler = new TokenSampler(settings, []);
        return [.. Enumerable.Range(0, count).Select(_ => sampler.Sample(logits))];
    }

    private static double[] Draw(SamplingSettings settings, float[] logits, int count)
    {
        var tokens = DrawTokens(settings, logits, count);
        return [.. logits.Select((_, token) => tokens.Count(drawn => drawn == token) / (double)count)];
    }
}
