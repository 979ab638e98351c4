using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Shards;
using ClusterLlm.NodeAgent.Tests.Engines;
using Microsoft.Extensions.Logging;

namespace ClusterLlm.NodeAgent.Tests.Shards;

public sealed class ShardHostTests : IAsyncDisposable
{
    private readonly HostFixture _fixture = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task Start_Shard_GoesThroughItsPhases()
    {
        var watch = _fixture.Watch();

        _fixture.Host.Start(Specs.Of());
        var ready = await watch.UntilAsync(ShardPhase.Ready);
        var stopped = await _fixture.Host.StopAsync("d", 1, Cancellation);
        await watch.UntilAsync(ShardPhase.Stopped);

        Assert.True(stopped);
        Assert.Equal((600, 600), (ready.LoadedBytes, ready.TotalBytes));
        Assert.Equal(
            [ShardPhase.Loading, ShardPhase.Connecting, ShardPhase.Ready, ShardPhase.Stopping, ShardPhase.Stopped],
            watch.Phases(1));
        Assert.Contains(watch.Seen, status => status is { Phase: ShardPhase.Loading, LoadedBytes: 300, TotalBytes: 600 });
        Assert.Empty(_fixture.Host.Subscribe(Cancellation).Snapshot);
    }

    [Fact]
    public async Task Start_SameGenerationAgain_LoadsOnce()
    {
        var watch = _fixture.Watch();

        _fixture.Host.Start(Specs.Of());
        _fixture.Host.Start(Specs.Of());
        await watch.UntilAsync(ShardPhase.Ready);
        _fixture.Host.Start(Specs.Of());

        Assert.Equal(1, _fixture.Engine.Loads);
    }

    [Fact]
    public async Task Start_SameGenerationOtherLayers_IsRefused()
    {
        _fixture.Host.Start(Specs.Of());

        var error = Assert.Throws<ShardException>(() => _fixture.Host.Start(Specs.Of() with { LayerCount = 1 }));

        Assert.Contains("higher generation", error.Message, StringComparison.Ordinal);
        await _fixture.Watch().UntilAsync(ShardPhase.Ready);
    }

    [Fact]
    public async Task Start_HigherGeneration_FreesTheOldOneFirst()
    {
        var watch = _fixture.Watch();
        _fixture.Host.Start(Specs.Of());
        await watch.UntilAsync(ShardPhase.Ready);
        _fixture.Engine.Freed = FakeEngine.Held();

        _fixture.Host.Start(Specs.Of(generation: 2));
        await watch.UntilAsync(ShardPhase.Stopping);

        Assert.Equal(1, _fixture.Engine.Loads);
        _fixture.Engine.Freed.SetResult();
        await watch.UntilAsync(ShardPhase.Ready, generation: 2);
        Assert.Equal(ShardPhase.Stopped, watch.Phases(1).Last());
        Assert.Equal(2, _fixture.Host.Subscribe(Cancellation).Snapshot.Single().Spec.Generation);
    }

    [Fact]
    public async Task Start_LowerGeneration_IsRefused()
    {
        var watch = _fixture.Watch();
        _fixture.Host.Start(Specs.Of(generation: 3));
        await watch.UntilAsync(ShardPhase.Ready, generation: 3);

        Assert.Throws<ShardException>(() => _fixture.Host.Start(Specs.Of(generation: 2)));
        Assert.False(await _fixture.Host.StopAsync("d", 2, Cancellation));
        Assert.NotNull(_fixture.Host.FindServing("d"));
    }

    [Fact]
    public async Task Start_AfterItsOwnStop_IsRefused()
    {
        await _fixture.Host.StopAsync("d", 4, Cancellation);

        Assert.Throws<ShardException>(() => _fixture.Host.Start(Specs.Of(generation: 4)));
        _fixture.Host.Start(Specs.Of(generation: 5));
        await _fixture.Watch().UntilAsync(ShardPhase.Ready, generation: 5);
    }

    [Fact]
    public async Task Stop_WhileLoading_CancelsAndFrees()
    {
        _fixture.Engine.Loaded = FakeEngine.Held();
        var watch = _fixture.Watch();
        _fixture.Host.Start(Specs.Of());
        await watch.UntilAsync(ShardPhase.Connecting);

        Assert.True(await _fixture.Host.StopAsync("d", 0, Cancellation));

        await watch.UntilAsync(ShardPhase.Stopped);
        Assert.Empty(_fixture.Engine.Shards);
    }

    [Fact]
    public async Task Stop_ReadyShard_ReturnsAfterItsMemoryIsFree()
    {
        var watch = _fixture.Watch();
        _fixture.Host.Start(Specs.Of());
        await watch.UntilAsync(ShardPhase.Ready);
        _fixture.Engine.Freed = FakeEngine.Held();

        var stopping = _fixture.Host.StopAsync("d", 0, Cancellation);
        await watch.UntilAsync(ShardPhase.Stopping);
        Assert.False(stopping.IsCompleted);
        Assert.Throws<ShardException>(() => _fixture.Host.FindServing("d"));
        _fixture.Engine.Freed.SetResult();

        Assert.True(await stopping);
        Assert.True(_fixture.Engine.Shards.Single().IsDisposed);
    }

    [Fact]
    public async Task Completion_Faults_ShardFailsWithTheReasonAndStaysVisible()
    {
        var watch = _fixture.Watch();
        _fixture.Host.Start(Specs.Of());
        await watch.UntilAsync(ShardPhase.Ready);

        _fixture.Engine.Shards.Single().Fail(new ShardException("The stage before this one is gone."));
        var failed = await watch.UntilAsync(ShardPhase.Failed);

        Assert.Equal("The stage before this one is gone.", failed.Reason);
        Assert.True(_fixture.Engine.Shards.Single().IsDisposed);
        Assert.Equal(failed, _fixture.Host.Subscribe(Cancellation).Snapshot.Single());
        Assert.False(await _fixture.Host.StopAsync("d", 0, Cancellation));
        Assert.Empty(_fixture.Host.Subscribe(Cancellation).Snapshot);
    }

    [Fact]
    public async Task Completion_UnexpectedException_IsLoggedAndNotShown()
    {
        var watch = _fixture.Watch();
        _fixture.Host.Start(Specs.Of());
        await watch.UntilAsync(ShardPhase.Ready);

        _fixture.Engine.Shards.Single().Fail(new FormatException("secret"));
        var failed = await watch.UntilAsync(ShardPhase.Failed);

        Assert.DoesNotContain("secret", failed.Reason, StringComparison.Ordinal);
        Assert.Contains(_fixture.Log.Collector.GetSnapshot(), record => record is { Level: LogLevel.Error, Exception.Message: "secret" });
    }

    [Fact]
    public async Task Start_ModelIsMissing_FailsWithItsPath()
    {
        var watch = _fixture.Watch();

        _fixture.Host.Start(Specs.Of(model: "/nowhere/model"));

        Assert.Contains("/nowhere/model", (await watch.UntilAsync(ShardPhase.Failed)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prepare_MemoryOfOtherShards_IsCounted()
    {
        var watch = _fixture.Watch();
        _fixture.Engine.Check = new ShardCheck([], 5_000, 0, 0);
        _fixture.Host.Start(Specs.Of());
        await watch.UntilAsync(ShardPhase.Ready);

        var other = await _fixture.Host.PrepareAsync(Specs.Of("e"), Cancellation);
        var next = await _fixture.Host.PrepareAsync(Specs.Of(generation: 2), Cancellation);

        var problem = Assert.Single(other.Problems);
        Assert.Equal(("memory", 5_000, 4_000), (problem.Constraint, problem.Needed, problem.Available));
        Assert.Empty(next.Problems);
    }

    [Fact]
    public async Task Start_TwoShardsThatOnlyFitAlone_TheSecondFails()
    {
        var watch = _fixture.Watch();
        _fixture.Engine.Check = new ShardCheck([], 5_000, 0, 0);
        _fixture.Host.Start(Specs.Of());
        await watch.UntilAsync(ShardPhase.Ready);

        _fixture.Host.Start(Specs.Of("e", generation: 7));

        Assert.Contains("5000", (await watch.UntilAsync(ShardPhase.Failed, generation: 7)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prepare_UnknownEngineModelOrFingerprint_SaysWhich()
    {
        var engine = await _fixture.Host.PrepareAsync(Specs.Of() with { Engine = "mlx" }, Cancellation);
        var model = await _fixture.Host.PrepareAsync(Specs.Of(model: "absent"), Cancellation);
        var fingerprint = await _fixture.Host.PrepareAsync(Specs.Of() with { ModelFingerprint = "ab" }, Cancellation);
        _fixture.Engine.Verdict = new EngineVerdict("No.");
        var unsupported = await _fixture.Host.PrepareAsync(Specs.Of(), Cancellation);

        Assert.Equal(
            ["engine", "model", "model", "engine"],
            new[] { engine, model, fingerprint, unsupported }.Select(check => check.Problems.Single().Constraint));
    }

    [Fact]
    public async Task FindServing_OtherRank_NamesTheRank()
    {
        _fixture.Host.Start(Specs.Of(rank: 1, worldSize: 2));
        await _fixture.Watch().UntilAsync(ShardPhase.Ready);

        Assert.Contains("rank 1", Assert.Throws<ShardException>(() => _fixture.Host.FindServing("d")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StopAsync_AgentEnds_AllShardsAreFreedAndNoneStarts()
    {
        var watch = _fixture.Watch();
        _fixture.Host.Start(Specs.Of());
        await watch.UntilAsync(ShardPhase.Ready);

        await _fixture.Host.StopAsync(Cancellation);

        Assert.True(_fixture.Engine.Shards.Single().IsDisposed);
        Assert.Throws<ShardException>(() => _fixture.Host.Start(Specs.Of("e")));
    }
}
