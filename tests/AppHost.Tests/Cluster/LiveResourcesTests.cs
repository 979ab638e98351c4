using System.Collections.Immutable;
using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Commands;

namespace ClusterLlm.AppHost.Tests.Cluster;

public sealed class LiveResourcesTests
{
    private static readonly HashSet<string> Local = ["coordinator", "node-1", "node-2"];

    [Fact]
    public void From_AddedMac_IsARowWithItsHardware()
    {
        var mac = new NodeView("Studio.local", "ready")
        {
            Chip = "Apple M4 Max",
            MemoryTotalBytes = 64_000_000_000,
            UsableBytes = 48_000_000_000,
            FreeBytes = 30_000_000_000,
            TokensPerSecond = 21.04,
            Engines = [new("mlx", "0.32.4", Available: true, ""), new("exo", "", Available: false, "not installed")],
        };

        var row = Assert.Single(LiveResources.From(new(Connected: true, [new("node-1", "ready"), mac], []), Local, "coordinator", python: null));

        Assert.Equal(("studio-local", "Running", LiveStateStyle.Success), (row.Name, row.State, row.Style));
        Assert.Equal(
            ["Ready", "Apple M4 Max", "48.0 GB usable of 64.0 GB", "30.0 GB", "21.0", "mlx 0.32.4, exo (not available: not installed)"],
            row.Properties.Select(property => property.Value));
        Assert.Equal([ClusterCommands.Drain, ClusterCommands.Remove], row.EnabledCommands);
    }

    [Fact]
    public void From_Deployment_StandsUnderTheCoordinatorWithItsPlan()
    {
        var row = Assert.Single(LiveResources.From(View(Deployment("ready")), Local, "coordinator", python: null));

        Assert.Equal(("deployment-demo", "coordinator", "Running"), (row.Name, row.Parent, row.State));
        Assert.Equal(
            ["node-2: layers 0–4, 4.0 MB", "node-1: layers 5–7, 3.0 MB"],
            row.Properties.Where(property => property.Name.StartsWith("deployment.stage", StringComparison.Ordinal)).Select(property => property.Value));
        Assert.Equal(["node-2", "node-1"], row.Uses);
        Assert.Contains(ClusterCommands.TestPrompt, row.EnabledCommands);
    }

    [Theory]
    [InlineData("loading", "Info")]
    [InlineData("degraded", "Warning")]
    [InlineData("failed", "Error")]
    public void From_State_HasItsStyle(string state, string style) =>
        Assert.Equal(style, Assert.Single(LiveResources.From(View(Deployment(state)), Local, "coordinator", python: null)).Style.ToString());

    [Fact]
    public void From_StoppedDeploymentWithANewerOfItsName_ShowsTheNewer()
    {
        var rows = LiveResources.From(View(Deployment("ready") with { Id = "old", State = "stopped" }, Deployment("loading")), Local, "coordinator", python: null);

        Assert.Equal("d1", Assert.Single(rows).Id);
    }

    [Fact]
    public void From_CoordinatorIsAway_IsUnknownWithoutCommands()
    {
        var row = Assert.Single(LiveResources.From(View(Deployment("ready")) with { Connected = false }, Local, "coordinator", python: null));

        Assert.Equal(("Unknown", LiveStateStyle.Warning, 0), (row.State, row.Style, row.EnabledCommands.Length));
    }

    [Fact]
    public void From_SameReadings_AreEqual() =>
        Assert.Equal(LiveResources.From(View(Deployment("ready")), Local, "coordinator", python: null)[0], LiveResources.From(View(Deployment("ready")), Local, "coordinator", python: null)[0]);

    private static ClusterView View(params ImmutableArray<DeploymentView> deployments) =>
        new(Connected: true, [new("node-1", "ready"), new("node-2", "ready")], deployments);

    private static DeploymentView Deployment(string state) => new()
    {
        Id = "d1",
        Name = "demo",
        Model = "demo-3m",
        State = state,
        Plan = new([new("node-1", 0, 5, 3, 3_000_000), new("node-2", 1, 0, 5, 4_000_000)]),
    };
}
