using ClusterLlm.NodeAgent.Joining;
using FsCheck;
using FsCheck.Xunit;

namespace ClusterLlm.NodeAgent.Tests.Joining;

public sealed class BackoffTests
{
    [Property]
    public bool Delay_AnyRowOfFailures_IsNeverAtOnceAndNeverAboveTenSeconds(PositiveInt failures) =>
        new[] { 0, 0.5, 0.999 }.All(random => Backoff.Delay(failures.Get, random).TotalSeconds is >= 0.125 and <= 10);

    [Fact]
    public void Delay_LongRow_IsTenSecondsAtMost() => Assert.Equal(5, Backoff.Delay(1_000, 0).TotalSeconds);
}
