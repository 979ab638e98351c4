using System.Collections.Immutable;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Placement;
using FsCheck;
using FsCheck.Xunit;

namespace ClusterLlm.Coordinator.Tests.Deployments;

public sealed class SplitCheckTests
{
    public static TheoryData<string, (string Node, int Rank, int First, int Count)[]> Wrong => new()
    {
        { "no stages", [] },
        { "must begin at 2", [("a", 1, 0, 2), ("b", 0, 3, 3)] },
        { "must begin at 2", [("a", 1, 0, 2), ("b", 0, 1, 5)] },
        { "holds 0 layers", [("a", 1, 0, 0), ("b", 0, 0, 6)] },
        { "has rank 0 instead of 1", [("a", 0, 0, 2), ("b", 1, 2, 4)] },
        { "appears twice", [("a", 1, 0, 2), ("a", 0, 2, 4)] },
        { "the model has 6", [("a", 0, 0, 5)] },
        { "the model has 6", [("a", 0, 0, 7)] },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Problem_WrongSplit_SaysWhat(string part, (string Node, int Rank, int First, int Count)[] stages) =>
        Assert.Contains(part, SplitCheck.Problem(Plan(stages), 6), StringComparison.Ordinal);

    [Property]
    public bool Problem_AnyCutsInOrder_IsFine(PositiveInt[] counts)
    {
        var first = 0;
        var stages = new List<(string, int, int, int)>();
        foreach (var count in counts.Take(50).Select(count => count.Get))
        {
            stages.Add(($"n{stages.Count}", Math.Min(50, counts.Length) - 1 - stages.Count, first, count));
            first += count;
        }

        return counts.Length == 0 || SplitCheck.Problem(Plan([.. stages]), first) is null;
    }

    private static PlacementPlan Plan((string Node, int Rank, int First, int Count)[] stages) => new(
        "builtin", "", [.. stages.Select(stage => new PlacementStage(stage.Node, stage.Rank, stage.First, stage.Count, 0, 0, 0))], 1, 1, 1, ImmutableArray<Rejection>.Empty);
}
