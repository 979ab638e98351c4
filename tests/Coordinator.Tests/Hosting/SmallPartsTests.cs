using ClusterLlm.Coordinator.Hosting;
using FsCheck;
using FsCheck.Xunit;

namespace ClusterLlm.Coordinator.Tests.Hosting;

public sealed class SmallPartsTests
{
    [Theory]
    [InlineData("", "", 0)]
    [InlineData("node-1", "node-1", 0)]
    [InlineData("Node-1", "node-1", 0)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("", "abc", 3)]
    public void Distance_CountsEdits(string left, string right, int expected) => Assert.Equal(expected, NearestNames.Distance(left, right));

    [Property]
    public bool Distance_IsSymmetricAndBounded(NonNull<string> left, NonNull<string> right) =>
        NearestNames.Distance(left.Get, right.Get) == NearestNames.Distance(right.Get, left.Get)
        && NearestNames.Distance(left.Get, right.Get) <= Math.Max(left.Get.Length, right.Get.Length);

    [Fact]
    public void Find_FarNames_AreLeftOut() => Assert.Empty(NearestNames.Find("llama", ["something-else-entirely"], 3));

    [Fact]
    public void Find_Prefixes_AreNear() => Assert.Equal(["Qwen2.5-7B-Instruct"], NearestNames.Find("qwen2.5", ["Qwen2.5-7B-Instruct", "demo"], 3));

    [Property]
    public bool Delay_StaysWithinItsLimits(PositiveInt attempt, NormalFloat jitter)
    {
        var delay = Backoff.Delay(attempt.Get, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(3), jitter.Get);
        return delay >= TimeSpan.FromMilliseconds(75) && delay <= TimeSpan.FromSeconds(3);
    }

    [Fact]
    public void Delay_Doubles() => Assert.Equal(
        [1, 2, 4, 8, 10, 10],
        Enumerable.Range(1, 6).Select(attempt => Backoff.Delay(attempt, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), 0).TotalSeconds));

    [Fact(Timeout = 20_000)]
    public async Task SnapshotFeed_SlowReader_GetsTheNewestOnly()
    {
        var feed = new SnapshotFeed<string>("0");
        using var subscription = feed.Subscribe();
        foreach (var next in new[] { "1", "2", "3" })
        {
            feed.Update(_ => (next, true));
        }

        await using var all = subscription.AllAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await all.MoveNextAsync());
        Assert.Equal("0", all.Current);
        Assert.True(await all.MoveNextAsync());
        Assert.Equal("3", all.Current);
        subscription.Dispose();
        Assert.False(await all.MoveNextAsync());
    }
}
