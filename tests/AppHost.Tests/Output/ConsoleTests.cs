using System.Collections.Immutable;
using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Output;
using ClusterLlm.AppHost.Standalone;

namespace ClusterLlm.AppHost.Tests.Output;

public sealed class ConsoleTests
{
    [Fact]
    public void Progress_NoTerminal_WritesEachStepOnce()
    {
        using var writer = new StringWriter();
        var reporter = new ConsoleReporter(writer, isTerminal: false);

        reporter.Progress("demo 0 %", "demo 3 %");
        reporter.Progress("demo 0 %", "demo 9 %");
        reporter.Progress("demo 50 %", "demo 51 %");
        reporter.Line("demo ready");

        Assert.Equal(["demo 0 %", "demo 50 %", "demo ready"], writer.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void Progress_Terminal_KeepsOneLineThatTheNextReplaces()
    {
        using var writer = new StringWriter();
        var reporter = new ConsoleReporter(writer, isTerminal: true);

        reporter.Progress("demo 0 %", "demo 3 %");
        reporter.Progress("demo 0 %", "demo 9 %");
        reporter.Line("demo ready");

        Assert.Equal($"\r\u001b[2Kdemo 3 %\r\u001b[2Kdemo 9 %\r\u001b[2Kdemo ready{Environment.NewLine}", writer.ToString());
    }

    [Fact]
    public void Placement_Stages_AreTheLayersOfEachNodeInOrder()
    {
        var deployment = new DeploymentView
        {
            Name = "demo",
            Plan = new([new("node-2", 0, 3, 5, 4_700_000), new("node-1", 1, 0, 3, 512_000)]),
        };

        Assert.Equal(
            ["             node-1     layers 0–2, 512 kB, rank 1", "             node-2     layers 3–7, 4.7 MB, rank 0"],
            Lines.Placement(deployment));
    }

    [Fact]
    public void Process_Healthy_ShowsItsAddressesWithoutTheProbe()
    {
        var snapshot = new ProcessSnapshot("node-1", ProcessState.Healthy)
        {
            Urls = new Dictionary<string, string> { ["grpc"] = "http://127.0.0.1:7430", ["probe"] = "http://127.0.0.1:5000" }
                .ToImmutableSortedDictionary(),
        };

        Assert.Equal("node-1       running    grpc http://127.0.0.1:7430", Lines.Process(snapshot));
    }

    [Fact]
    public void Ready_Line_BeginsWithReadyAndNamesTheAddress() =>
        Assert.StartsWith("ready  API http://127.0.0.1:7420/v1 (model \"demo\")", Lines.Ready("http://127.0.0.1:7420", "demo", TimeSpan.FromSeconds(5)));
}
