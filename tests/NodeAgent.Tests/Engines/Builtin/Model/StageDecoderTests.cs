using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Builtin.Kernels;
using ClusterLlm.NodeAgent.Engines.Builtin.Model;
using ClusterLlm.NodeAgent.Engines.Builtin.Threading;

namespace ClusterLlm.NodeAgent.Tests.Engines.Builtin.Model;

public sealed class StageDecoderTests
{
    private const int Context = 512;

    public static TheoryData<string> Models => [.. GoldenFile.Models];

    [Theory]
    [MemberData(nameof(Models))]
    public void Forward_GoldenPrompts_GivesGoldenTokens(string model)
    {
        using var pool = new ComputePool(2);
        var folder = ModelFolder.Open(GoldenFile.FolderOf(model));
        using var cache = new KvCache(folder.Config, folder.Config.LayerCount, Context, 1);
        var weights = StageWeightsLoader.Load(folder, 0, folder.Config.LayerCount, KernelSet.Best);
        using var decoder = new StageDecoder(folder.Config, weights, cache, KernelSet.Best, pool, Context, 1);
        foreach (var golden in GoldenFile.Read(model))
        {
            var position = 0;
            var next = golden.PromptIds;
            for (var index = 0; index < golden.Tokens.Length; index++)
            {
                decoder.Embed(next);
                decoder.Forward([new SequenceSegment(0, position, next.Length)], [next.Length - 1]);
                position += next.Length;
                var (token, logProb) = Greedy(decoder.Logits(0));
                Assert.True(
                    token == golden.Tokens[index] || golden.TopMargins[index] < 1e-3,
                    $"{model} {golden.Name}: token {index} is {token}, not {golden.Tokens[index]} (margin {golden.TopMargins[index]})");
                Assert.Equal(golden.LogProbs[index], logProb, GoldenFile.Tolerance(model));
                next = [golden.Tokens[index]];
            }

            cache.Release(0);
        }
    }

    private static (int Token, double LogProb) Greedy(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var index = 1; index < logits.Length; index++)
        {
            best = logits[index] > logits[best] ? index : best;
        }

        var sum = 0.0;
        foreach (var logit in logits)
        {
            sum += Math.Exp(logit - logits[best]);
        }

        return (best, -Math.Log(sum));
    }
}
