using System.Collections.Immutable;
using ClusterLlm.Coordinator.Comparisons;
using ClusterLlm.Coordinator.Comparisons.Reports;
using ClusterLlm.Coordinator.Comparisons.Running;
using ClusterLlm.Coordinator.Comparisons.Sharing;
using ClusterLlm.Coordinator.Nodes;
using static ClusterLlm.Coordinator.Tests.Comparisons.ComparisonBuilders;

namespace ClusterLlm.Coordinator.Tests.Comparisons;

public sealed class EnergyTests
{
    private static readonly CandidateResult Node1 = Single("c1", "node-1");
    private static readonly CandidateResult Both = Cluster("c2", CandidateState.Measured, "node-1", "node-2");

    private readonly PowerAverages _power = new();

    [Fact]
    public void Take_TwoMachines_AddsTheirAverages()
    {
        Tell("node-1", "a", 10, 1);
        Tell("node-1", "a", 20, 2);
        Tell("node-2", "b", 4, 1);

        Assert.Equal(19, _power.Take(["node-1", "node-2"]));
    }

    [Fact]
    public void Take_TwoAgentsOfOneMachine_CountItOnce()
    {
        Tell("node-1", "a", 10, 1);
        Tell("node-2", "a", 12, 1);

        Assert.Equal(11, _power.Take(["node-1", "node-2"]));
    }

    [Fact]
    public void Take_NodeOfTheCandidateToldNone_IsUnknown()
    {
        Tell("node-1", "a", 10, 1);

        Assert.Null(_power.Take(["node-1", "node-2"]));
    }

    [Fact]
    public void Take_SameReadingAgain_IsNoneOfTheNextCell()
    {
        Tell("node-1", "a", 10, 1);
        Assert.Equal(10, _power.Take(["node-1"]));
        Tell("node-1", "a", 10, 1);

        Assert.Null(_power.Take(["node-1"]));
    }

    [Fact]
    public void Report_MeasuredPower_IsTheJoulesOfATokenInEveryOutput()
    {
        var record = Record("r1", DateTimeOffset.UnixEpoch, [Node1, Both], [.. Powered("c1", 20, 30), .. Powered("c2", 30, 90)]);

        Assert.Equal([1.5, 3], ReportFigures.Of(record).Select(one => Math.Round(one.JoulesPerToken!.Value, 2)));
        Assert.Contains("node-1 alone (builtin) 1.50 J per token, node-1 + node-2 cut 4:4 (builtin) 3.00 J per token", EnergyText.Of(record), StringComparison.Ordinal);
        Assert.Contains("| J/token |", MarkdownReport.Of(record), StringComparison.Ordinal);
        Assert.Contains(" | 3.00 | ", MarkdownReport.Of(record), StringComparison.Ordinal);
        Assert.Equal([1.5, 3], SharedMeasurement.Of(record, "me").Select(row => Math.Round(row.JoulesPerToken!.Value, 2)));
    }

    [Fact]
    public void Report_NoPower_SaysWhatANodeNeeds()
    {
        var record = Record("r1", DateTimeOffset.UnixEpoch, [Node1], Rounds("c1", At(1), 20));

        Assert.Contains("Node:PowerCommand", EnergyText.Of(record), StringComparison.Ordinal);
        Assert.DoesNotContain("J/token", MarkdownReport.Of(record), StringComparison.Ordinal);
        Assert.Null(SharedMeasurement.Of(record, "me").Single().JoulesPerToken);
    }

    private static IEnumerable<Sample> Powered(string id, double tokensPerSecond, double watts) =>
        Rounds(id, At(1), tokensPerSecond).Select(sample => sample with { PowerWatts = watts });

    private void Tell(string node, string machine, double watts, int second) => _power.Add(
        node, machine, new NodeReading(DateTimeOffset.UnixEpoch.AddSeconds(second), 0, 0, 0, 0, 0, "normal", 0, null, "nominal", watts, 0, 0, 0, 0, ImmutableArray<ShardReading>.Empty));
}
