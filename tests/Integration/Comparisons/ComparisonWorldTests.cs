using System.Diagnostics;
using ClusterLlm.Testing;

namespace ClusterLlm.Integration.Comparisons;

/// <summary>
/// Worlds whose truth is known: the verdict must find it. The model has 8 layers. With two nodes a step goes round both, with two hops that really take some 3 ms each; several
/// batches are under way at once, so for many requests a round takes as long as the longer of two: one batch round all stages, and all batches through the slowest one.
/// </summary>
[Collection(ComparisonWorlds.Name)]
[Trait("category", "slow")]
public sealed class ComparisonWorldTests(LimitedCluster cluster, ITestOutputHelper output)
{
    private const int Many = 8;

    /// <summary>One request: 6 ms a token against 3 + 3 and the hops. Eight: 48 ms a round against 12 + 12 for each of two batches.</summary>
    [Fact(Timeout = 120_000)]
    public async Task TwoEqualNodes_OneForOneRequestAndTheClusterForMany()
    {
        var seen = await CompareAsync([LimitedCluster.Fast, LimitedCluster.SameFast], 4, 12, [1, Many], [], TestContext.Current.CancellationToken);

        Assert.Equal(("useSingle", "useCluster"), seen.Answers);
        Assert.InRange(seen.BreakEven!.Value, 1, Many);
        Assert.Contains($"Artificial limits on {LimitedCluster.Fast}, {LimitedCluster.SameFast}", seen.Headline);
    }

    /// <summary>The same two speeds, but a round of the cluster has a hop of 45 ms: 12 + 12 + 45 against 48.</summary>
    [Fact(Timeout = 120_000)]
    public async Task SlowLink_FlipsTheAnswerForMany()
    {
        var seen = await CompareAsync([LimitedCluster.Fast, LimitedCluster.FarAway], 4, 12, [1, Many], [], TestContext.Current.CancellationToken);

        Assert.Equal(("useSingle", "useSingle"), seen.Answers);
        Assert.Equal([LimitedCluster.Fast], seen.Winner);
    }

    /// <summary>320 ms a token alone; in two parts it is the same 320 ms and two hops of a millisecond or so.</summary>
    [Fact(Timeout = 120_000)]
    public async Task TwoThatRead_NoRealDifferenceForOneRequest()
    {
        var seen = await CompareAsync([LimitedCluster.Reader, LimitedCluster.SmallReader], 4, 2, [1], [], TestContext.Current.CancellationToken);

        Assert.Equal("noRealDifference", seen.Answers.One);
        // Agents with artificial limits count as machines of their own. A cell between two readings has none.
        Assert.Equal([LimitedCluster.Watts, 2 * LimitedCluster.Watts], seen.Powers.Distinct().Order());
        Assert.Contains(seen.Notes, note => note.StartsWith("Energy, ", StringComparison.Ordinal) && note.Contains("J per token", StringComparison.Ordinal));
    }

    /// <summary>64 rows of a prompt take 384 ms; in chunks of 16 the second node works on one while the first has the next: 5 times 48 ms.</summary>
    [Fact(Timeout = 120_000)]
    public async Task LongPrompt_TheClusterForOneRequest()
    {
        var seen = await CompareAsync([LimitedCluster.Fast, LimitedCluster.SameFast], 64, 4, [1], [], TestContext.Current.CancellationToken);

        Assert.Equal("useCluster", seen.Answers.One);
    }

    /// <summary>Two nodes as above: 12 + 12 ms and hops. A layer on the third node adds 12 ms and a hop to each of three batches.</summary>
    [Fact(Timeout = 120_000)]
    public async Task OneSlowNodeAmongThree_IsLeftOut()
    {
        var seen = await CompareAsync([LimitedCluster.Fast, LimitedCluster.SameFast, LimitedCluster.VerySlow], 4, 12, [Many], [], TestContext.Current.CancellationToken);

        Assert.Equal("useCluster", seen.Answers.Many);
        Assert.Equal([LimitedCluster.Fast, LimitedCluster.SameFast], seen.Winner.Order());
    }

    /// <summary>A layer on the slow node costs 12 ms for each of two batches, and hops; all eight on the fast one cost two requests 12 ms.</summary>
    [Fact(Timeout = 120_000)]
    public async Task FastNodeAndVerySlowNode_TheFastOneForAll()
    {
        var seen = await CompareAsync([LimitedCluster.Fast, LimitedCluster.VerySlow], 4, 6, [1, 2], [], TestContext.Current.CancellationToken);

        Assert.Equal(("useSingle", "useSingle"), seen.Answers);
        Assert.Equal([LimitedCluster.Fast], seen.Winner);
    }

    /// <summary>5 layers of 0.75 ms and 3 of 1.2 ms: 15 + 14 ms and hops for a batch of four, against 48 ms for eight on the faster one.</summary>
    [Fact(Timeout = 120_000)]
    public async Task SlowerNode_HelpsManyWithFewerLayers()
    {
        var seen = await CompareAsync([LimitedCluster.Fast, LimitedCluster.Slower], 4, 12, [1, Many], [], TestContext.Current.CancellationToken);

        Assert.Equal(("useSingle", "useCluster"), seen.Answers);
        Assert.InRange(seen.LayersOn(LimitedCluster.Fast), 5, 6);
    }

    /// <summary>7 layers and 1: two batches of 21 ms, where the planner's halves take 12 + 12 and hops.</summary>
    [Fact(Timeout = 120_000)]
    public async Task UnevenManualCut_LosesToThePlannersCut()
    {
        var seen = await CompareAsync(
            [LimitedCluster.Fast, LimitedCluster.SameFast],
            4,
            12,
            [Many],
            new() { [LimitedCluster.Fast] = [0, 7], [LimitedCluster.SameFast] = [7, 8] },
            TestContext.Current.CancellationToken);

        Assert.Equal("useCluster", seen.Answers.Many);
        Assert.InRange(seen.LayersOn(LimitedCluster.Fast), 3, 5);
        Assert.Equal(4, seen.States.Count);
    }

    [Fact(Timeout = 120_000)]
    public async Task TwoSmallNodes_OnlyTheClusterCan()
    {
        var seen = await CompareAsync([LimitedCluster.FarAway, LimitedCluster.Small], 4, 4, [1, 4], [], TestContext.Current.CancellationToken);

        Assert.Equal(("onlyCluster", "onlyCluster"), seen.Answers);
        Assert.Contains("MB", seen.Why);
    }

    private async Task<SeenComparison> CompareAsync(
        string[] nodes, int promptTokens, int outputTokens, int[] concurrency, Dictionary<string, int[]> layers, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var request = new
        {
            model = TestModels.PathOf("demo-3m"),
            nodes,
            workloads = new[] { new { promptTokens, outputTokens } },
            concurrency,
            layers = layers.Count == 0 ? null : layers,
            rounds = 3,
            mostRounds = 10,
        };
        var seen = await ComparisonCalls.EndAsync(cluster.Http, await ComparisonCalls.StartAsync(cluster.Http, request, cancellationToken), cancellationToken);
        output.WriteLine($"{watch.Elapsed.TotalSeconds:0.0} s, {seen}");
        return seen;
    }
}
