using ClusterLlm.Coordinator.Comparisons.Workloads;
using ClusterLlm.ModelFiles;
using ClusterLlm.Testing;

namespace ClusterLlm.Coordinator.Tests.Comparisons;

public sealed class PromptTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(24)]
    [InlineData(128)]
    [InlineData(777)]
    public void Make_Text_HasExactlySoManyTokens(int tokens)
    {
        var tokenizer = ModelTokenizer.Load(TestModels.PathOf("demo-3m"));
        var maker = new PromptMaker(tokenizer, tokenizer.VocabularySize);

        for (var seed = 0; seed < 20; seed++)
        {
            Assert.Equal(tokens, tokenizer.Encode(maker.Make(tokens, seed).Text!, addSpecialTokens: true).Count);
        }
    }

    [Fact]
    public void Make_SeedsOfOneRun_HaveNoBeginningInCommon()
    {
        var tokenizer = ModelTokenizer.Load(TestModels.PathOf("demo-3m"));
        var maker = new PromptMaker(tokenizer, tokenizer.VocabularySize);
        var places = Enumerable.Range(0, 4 * 3 * 8).Select(place => (Round: place / 24, Cell: place / 8 % 3, Request: place % 8));
        var prompts = places.Select(at => maker.Make(64, PromptSeeds.Of(1, at.Round, at.Cell, at.Request)).Text!).ToArray();

        Assert.Equal(prompts.Length, prompts.Select(text => text[..5]).Distinct().Count());
        Assert.Equal(prompts[5], maker.Make(64, PromptSeeds.Of(1, 0, 0, 5)).Text);
    }

    [Fact]
    public void Make_WithoutTokenizer_GivesIdsOfTheVocabulary()
    {
        var prompt = new PromptMaker(null, 1000).Make(50, 3);

        Assert.Null(prompt.Text);
        Assert.Equal(50, prompt.Tokens.Length);
        Assert.All(prompt.Tokens, id => Assert.InRange(id, 250, 750));
    }

    [Theory]
    [InlineData(0, "128+64 x1, 128+64 x2, 128+64 x4, 128+64 x8, 2048+64 x1, 8192+64 x1")]
    [InlineData(4096, "128+64 x1, 128+64 x2, 128+64 x4, 128+64 x8, 2048+64 x1")]
    [InlineData(100, "50+25 x1, 50+25 x2, 50+25 x4, 50+25 x8")]
    public void Default_Context_LimitsTheCells(int context, string expected) => Assert.Equal(expected, string.Join(", ", CellChoice.Default(context)));
}
