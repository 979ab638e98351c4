using ClusterLlm.AppHost.Standalone;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.AppHost.Tests.Standalone;

public sealed class PolicyTests
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(0.5);

    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(1, 1)]
    [InlineData(3, 4)]
    [InlineData(4, 8)]
    public void Decide_ShortRun_PausesTwiceAsLongEachTime(int failures, double seconds) =>
        Assert.Equal(new(failures + 1, TimeSpan.FromSeconds(seconds)), RestartPolicy.Decide(failures, TimeSpan.FromSeconds(3), Pause));

    [Fact]
    public void Decide_TooManyShortRuns_GivesUp() =>
        Assert.Null(RestartPolicy.Decide(RestartPolicy.MostAttempts, TimeSpan.Zero, Pause).Pause);

    [Fact]
    public void Decide_LastingRun_CountsFromTheStart() =>
        Assert.Equal(new(1, TimeSpan.FromSeconds(0.5)), RestartPolicy.Decide(RestartPolicy.MostAttempts, RestartPolicy.LastingRun, Pause));

    [Fact]
    public void Choose_WantedPortIsFree_TakesIt() =>
        Assert.Equal(new(7420, null), PortPolicy.Choose(Endpoint(7420, isFixed: false), earlier: null, _ => true));

    [Fact]
    public void Choose_WantedPortInUse_LetsTheSystemChoose() =>
        Assert.Equal(new(0, null), PortPolicy.Choose(Endpoint(7420, isFixed: false), earlier: null, _ => false));

    [Fact]
    public void Choose_Restart_TakesTheEarlierPort() =>
        Assert.Equal(new(5555, null), PortPolicy.Choose(Endpoint(7420, isFixed: false), earlier: 5555, _ => true));

    [Fact]
    public void Choose_FixedPortInUse_SaysWhatToSet()
    {
        var choice = PortPolicy.Choose(Endpoint(7420, isFixed: true), earlier: null, _ => false);

        Assert.Contains("Port 7420 (AppHost:HttpPort) is in use", choice.Problem);
    }

    private static EndpointResource Endpoint(int port, bool isFixed) => new("http", port, isFixed, "AppHost:HttpPort", "PORT", "http");
}
