using ClusterLlm.Coordinator.Hosting;
using FsCheck;
using FsCheck.Xunit;

namespace ClusterLlm.Coordinator.Tests.Hosting;

public sealed class SmallPartsTests
{
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
