using ClusterLlm.Coordinator.Inference;
using ClusterLlm.Coordinator.Tests.Inference.Fakes;

namespace ClusterLlm.Coordinator.Tests.Inference;

public sealed class RequestRouterTests
{
    private static readonly DateTimeOffset Now = GatewayHost.Demo.CreatedAt.AddSeconds(10);

    [Fact]
    public void Refuse_UnknownModel_ListsTheNamesInOrder()
    {
        var error = RequestRouter.Refuse("gpt", null, ["b", "a"], Now)!;

        Assert.Equal((404, "model_not_found", "model"), (error.Status, error.Code, error.Param));
        Assert.Equal("The model 'gpt' does not exist. Available: a, b.", error.Message);
    }

    [Fact]
    public void Refuse_NothingDeployed_SaysHowToLaunch() =>
        Assert.Contains("POST /api/deployments", RequestRouter.Refuse("gpt", null, [], Now)!.Message, StringComparison.Ordinal);

    [Fact]
    public void Refuse_Ready_IsNull() => Assert.Null(RequestRouter.Refuse("demo", GatewayHost.Demo, ["demo"], Now));

    [Fact]
    public void Refuse_Loading_TellsStateShareAndWhenToAskAgain()
    {
        var route = GatewayHost.Demo with { Ready = false, Phase = "Loading", LoadedShare = 0.5 };

        var error = RequestRouter.Refuse("demo", route, ["demo"], Now)!;

        Assert.Equal((503, "model_not_ready", 10), (error.Status, error.Code, error.RetryAfterSeconds));
        Assert.Contains("loading (50 % loaded)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuse_Failed_TellsWhyAndNotToAskAgain()
    {
        var route = GatewayHost.Demo with { Ready = false, Phase = "Failed", Reason = "node-2: no memory" };

        var error = RequestRouter.Refuse("demo", route, ["demo"], Now)!;

        Assert.Equal((503, (int?)null), (error.Status, error.RetryAfterSeconds));
        Assert.Contains("node-2: no memory", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuse_ReadyWithoutRankZero_Is503() =>
        Assert.Equal(503, RequestRouter.Refuse("demo", GatewayHost.Demo with { RankZeroNodeId = null }, ["demo"], Now)!.Status);

    [Theory]
    [InlineData(0, 10, 2)]
    [InlineData(1, 10, 2)]
    [InlineData(double.NaN, 10, 2)]
    [InlineData(0.5, 10, 10)]
    [InlineData(0.9, 9, 1)]
    [InlineData(0.01, 60, 30)]
    [InlineData(0.5, -5, 2)]
    public void RetryAfterSeconds_Share_ExtrapolatesWithinLimits(double share, int elapsedSeconds, int expected) =>
        Assert.Equal(expected, RequestRouter.RetryAfterSeconds(share, TimeSpan.FromSeconds(elapsedSeconds)));
}
