using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Coordinator.Placement.Prediction;
using ClusterLlm.Coordinator.Placement.Search;
using FsCheck;
using FsCheck.Fluent;

namespace ClusterLlm.Coordinator.Tests.Placement;

public sealed class PlannerPropertyTests
{
    private const double Rounding = 1e-6;

    [Fact]
    public void Plan_AnyCase_EveryLayerOnOneNodeInOrderAndWithinMemory() => Check(PlanningCase.Small(5, 24), one =>
    {
        if (PlacementPlanner.Plan(one.Cluster, one.Model, one.Request) is not PlacementResult.Planned { Plan: var plan })
        {
            return true;
        }

        var expected = 0;
        foreach (var stage in plan.Stages)
        {
            Assert.Equal(expected, stage.FirstLayer);
            Assert.True(stage.LayerCount > 0);
            Assert.True(stage.TotalBytes <= one.Cluster.Nodes.Single(node => node.NodeId == stage.NodeId).MemoryUsableBytes, $"{stage.NodeId} is over its limit");
            expected += stage.LayerCount;
        }

        Assert.Equal(one.Model.LayerCount, expected);
        Assert.Equal(plan.Stages.Length, plan.Stages.Select(stage => stage.NodeId).Distinct().Count());
        return true;
    });

    [Fact]
    public void Plan_SameInput_SamePlan() => Check(PlanningCase.Small(4, 16), one =>
    {
        var shuffled = one.Cluster with { Nodes = [.. one.Cluster.Nodes.Reverse()] };
        Assert.Equal(Describe(PlacementPlanner.Plan(one.Cluster, one.Model, one.Request)), Describe(PlacementPlanner.Plan(shuffled, one.Model, one.Request)));
        return true;
    });

    [Fact]
    public void Search_SmallCases_EqualsBruteForce() => Check(PlanningCase.Small(3, 6), one =>
    {
        var engine = EngineFacts.Of(one.Cluster.Nodes[0].Engines[0]);
        var builder = one.Builder(engine.Name);
        var found = EngineSearch.Find(builder, engine, one.Model, one.Request);
        var machines = engine.HasMicroBatches ? one.Cluster.Nodes.Length : 1;
        switch (one.Request.Objective)
        {
            case PlacementObjective.Latency:
                AssertSame(BruteForce.BestStep(builder.Build(one.Request.ContextTokens, 1)), found?.Best.Score);
                break;
            case PlacementObjective.Throughput:
                AssertSame(BruteForce.BestThroughput(builder, one.Request, machines), found?.Best.Score);
                break;
            default:
                Assert.Equal(BruteForce.Fits(builder.Build(one.Request.ContextTokens, 1)), found is not null);
                if (found is not null)
                {
                    Assert.True(BruteForce.Fits(builder.Build(found.Best.ContextTokens, 1)));
                    Assert.True(found.Best.ContextTokens == one.Model.MaxContextTokens || !BruteForce.Fits(builder.Build(found.Best.ContextTokens + 1, 1)));
                }

                break;
        }

        return true;
    });

    [Fact]
    public void Plan_MoreMemory_NeverWorse() => Check(PlanningCase.Small(4, 16), one => NeverWorse(one, one with
    {
        Cluster = one.Cluster with
        {
            Nodes = [.. one.Cluster.Nodes.Select((node, index) => index % 2 == 0 ? node with { MemoryUsableBytes = node.MemoryUsableBytes * 3 / 2 } : node)],
        },
    }));

    [Fact]
    public void Plan_FasterLinks_NeverWorse() => Check(PlanningCase.Small(4, 16), one => NeverWorse(one, one with
    {
        Cluster = one.Cluster with
        {
            Links = [.. one.Cluster.Links.Select(link => link with { RoundTrip = link.RoundTrip / 2, BandwidthBytesPerSecond = link.BandwidthBytesPerSecond * 2 })],
        },
    }));

    [Fact]
    public void Plan_OneMoreNode_NeverWorse() => Check(PlanningCase.Small(4, 16), one => NeverWorse(one, one with
    {
        Cluster = one.Cluster with
        {
            Nodes = one.Cluster.Nodes.Add(PlacementBuilders.Node("n9", 6 * PlacementBuilders.Gigabyte, "Apple M2 Max", engines: [one.Cluster.Nodes[0].Engines[0]])),
        },
    }));

    [Fact]
    public void Bound_AnyCase_IsNotAboveTheOptimum() => Check(PlanningCase.Small(5, 16), one =>
    {
        var engine = EngineFacts.Of(one.Cluster.Nodes[0].Engines[0]);
        if (one.Request.Objective == PlacementObjective.Latency && EngineSearch.Find(one.Builder(engine.Name), engine, one.Model, one.Request) is { } found)
        {
            Assert.True(new Bounds(one.Builder(engine.Name).Build(one.Request.ContextTokens, 1)).Latency() <= found.Best.Score + Rounding);
        }

        return true;
    });

    private static bool NeverWorse(PlanningCase before, PlanningCase after)
    {
        if (Value(before) is not { } was)
        {
            return true;
        }

        var now = Value(after);
        Assert.NotNull(now);
        Assert.True(now <= was + (Math.Abs(was) * Rounding), $"the objective went from {was} to {now}");
        return true;
    }

    /// <summary>The objective's score: smaller is better; <see langword="null"/> when nothing fits.</summary>
    private static double? Value(PlanningCase one)
    {
        var engine = EngineFacts.Of(one.Cluster.Nodes[0].Engines[0]);
        return EngineSearch.Find(one.Builder(engine.Name), engine, one.Model, one.Request)?.Best.Score;
    }

    private static void AssertSame(double expected, double? actual)
    {
        Assert.Equal(double.IsPositiveInfinity(expected), actual is null);
        if (actual is { } value)
        {
            Assert.Equal(expected, value, Math.Abs(expected) * Rounding);
        }
    }

    private static string Describe(PlacementResult result) => result switch
    {
        PlacementResult.Planned planned => string.Join(", ", planned.Plan.Stages.Select(stage => $"{stage.NodeId}:{stage.FirstLayer}+{stage.LayerCount}")),
        PlacementResult.Refused refused => refused.Summary,
        _ => "",
    };

    private static void Check(Arbitrary<PlanningCase> cases, Func<PlanningCase, bool> holds) =>
        Prop.ForAll(cases, holds).Check(Config.QuickThrowOnFailure.WithMaxTest(150));
}
