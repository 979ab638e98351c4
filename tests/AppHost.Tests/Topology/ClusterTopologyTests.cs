using ClusterLlm.AppHost.Settings;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.AppHost.Tests.Topology;

public sealed class ClusterTopologyTests
{
    [Fact]
    public void Build_Defaults_AreACoordinatorAndThreeAgentsOnTheKnownPorts()
    {
        var topology = Build(new() { Home = "/home" });

        Assert.Equal(
            ["coordinator http=7420 grpc=7421", "node-1 grpc=7430 probe=0", "node-2 grpc=7431 probe=0", "node-3 grpc=7432 probe=0"],
            topology.Processes.Select(process =>
                $"{process.Name} {string.Join(' ', process.Endpoints.Select(endpoint => $"{endpoint.Name}={endpoint.Port}"))}"));
        Assert.DoesNotContain(topology.Processes.SelectMany(process => process.Endpoints), endpoint => endpoint.Fixed);
    }

    [Fact]
    public void Build_Agents_WaitForTheCoordinatorAndKnowItsAddress()
    {
        var agent = Build(new() { Home = "/home" }).Processes[2];

        Assert.Equal(["coordinator"], agent.WaitFor);
        Assert.Equal(new EndpointValue("coordinator", "grpc"), agent.Environment["CLUSTERLLM__Node__CoordinatorUrl"]);
        Assert.Equal("node-2", agent.Environment["CLUSTERLLM__Node__Id"]);
        Assert.Equal("/home", agent.Environment["CLUSTERLLM_HOME"]);
    }

    [Theory]
    [InlineData(3, null, "0.3333")]
    [InlineData(1, null, "1")]
    [InlineData(4, 0.2, "0.2")]
    public void Build_MemoryShare_IsSplitEvenlyUnlessSet(int agents, double? share, string expected)
    {
        var topology = Build(new() { Home = "/home", Agents = agents, AgentMemoryShare = share });

        Assert.All(topology.Processes.Skip(1), agent => Assert.Equal(expected, agent.Environment["CLUSTERLLM__Node__MemoryShare"]));
    }

    [Fact]
    public void Build_SetPorts_AreFixed()
    {
        var topology = Build(new() { Home = "/home", Agents = 2, HttpPort = 8000, AgentPort = 9000 });

        Assert.Equal(
            [("http", 8000), ("grpc", 9000), ("grpc", 9001)],
            topology.Processes.SelectMany(process => process.Endpoints).Where(endpoint => endpoint.Fixed).Select(endpoint => (endpoint.Name, endpoint.Port)));
    }

    [Fact]
    public void Build_Demo_RunsOnThreeNodesAtMost()
    {
        var demo = Build(new() { Home = "/home", Agents = 5 }).Demo!;

        Assert.Equal(("demo", "/samples/demo-3m"), (demo.Name, demo.ModelFolder));
        Assert.Equal(["node-1", "node-2", "node-3"], demo.Nodes);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(3, false)]
    public void Build_NoAgentOrSwitchedOff_HasNoDemo(int agents, bool demo) =>
        Assert.Null(Build(new() { Home = "/home", Agents = agents, Demo = demo }).Demo);

    [Fact]
    public void Build_AnyCount_StartsEachAfterWhatItWaitsFor()
    {
        foreach (var agents in new[] { 0, 1, 7, AppHostSettings.MostAgents })
        {
            var topology = Build(new() { Home = "/home", Agents = agents });
            var order = topology.Processes.Select(process => process.Name).ToList();

            Assert.Equal(order.Count, order.Distinct().Count());
            Assert.All(topology.Processes, process => Assert.All(process.WaitFor, name => Assert.InRange(order.IndexOf(name), 0, order.IndexOf(process.Name) - 1)));
        }
    }

    [Fact]
    public void Missing_OutputsOfThisBuild_AreAllThere() => Assert.Empty(BuildFacts.Read().Missing(Build(new() { Home = "/home" })));

    [Fact]
    public void Missing_OutputDeleted_SaysWhatToRun()
    {
        var facts = new BuildFacts(new Dictionary<string, string> { ["Coordinator"] = "/gone/Coordinator.dll" }, "");

        Assert.Equal(
            [
                "The program of Coordinator is missing (/gone/Coordinator.dll). Run: dotnet build AppHost",
                "The program of NodeAgent is missing (not built). Run: dotnet build AppHost",
            ],
            facts.Missing(Build(new() { Home = "/home" })));
    }

    [Fact]
    public void Read_SamplesFolder_HoldsTheDemoModel() =>
        Assert.True(File.Exists(Path.Join(BuildFacts.Read().SamplesFolder, "demo-3m", "model.safetensors")));

    private static ClusterTopology Build(AppHostSettings settings) => ClusterTopology.Build(settings, "/samples");
}
