namespace ClusterLlm.Coordinator.Placement.Search;

/// <summary>
/// The search's view of a placement: nodes as indices, costs and bytes as prefix sums, so that a stage's time and need are one subtraction.
/// Times are milliseconds of one step.
/// </summary>
internal sealed class CutProblem
{
    public required int LayerCount { get; init; }

    /// <summary>Free bytes by node.</summary>
    public required long[] FreeBytes { get; init; }

    /// <summary>[node][end] = time of the layers [0, end) on the node.</summary>
    public required double[][] LayerTime { get; init; }

    /// <summary>Extra time of the last stage by node: the output head.</summary>
    public required double[] LastTime { get; init; }

    /// <summary>[end] = bytes of weights and cache of the layers [0, end); the same on every node.</summary>
    public required long[] LayerBytes { get; init; }

    /// <summary>Bytes that every stage needs beside its layers.</summary>
    public required long StageBytes { get; init; }

    /// <summary>Further bytes of the first stage (embedding), of the last one (head, logits) and of one that is both.</summary>
    public required long FirstBytes { get; init; }

    public required long LastBytes { get; init; }

    public required long OnlyBytes { get; init; }

    /// <summary>[from, to] = time of a hop.</summary>
    public required double[,] Hop { get; init; }

    /// <summary>Nodes with the same number are interchangeable; numbers are 0 … classes − 1.</summary>
    public required int[] ClassOf { get; init; }

    /// <summary>Nodes that must hold at least one layer.</summary>
    public required bool[] IsRequired { get; init; }

    /// <summary>Layers [First, End) that must lie on the node; First = −1 for none.</summary>
    public required (int First, int End)[] Pins { get; init; }

    public int NodeCount => FreeBytes.Length;

    public double StageTime(int node, int first, int end) =>
        LayerTime[node][end] - LayerTime[node][first] + (end == LayerCount ? LastTime[node] : 0);

    public long NeededBytes(int first, int end) =>
        LayerBytes[end] - LayerBytes[first] + StageBytes
        + (first == 0 && end == LayerCount ? OnlyBytes : first == 0 ? FirstBytes : end == LayerCount ? LastBytes : 0);

    /// <summary>Whether the node may hold exactly these layers: memory, and pinned layers of its own and of others.</summary>
    public bool Allows(int node, int first, int end)
    {
        if (NeededBytes(first, end) > FreeBytes[node])
        {
            return false;
        }

        for (var other = 0; other < Pins.Length; other++)
        {
            var (pinFirst, pinEnd) = Pins[other];
            if (pinFirst < 0)
            {
                continue;
            }

            var isInside = other == node
                ? first <= pinFirst && end >= pinEnd
                : end <= pinFirst || first >= pinEnd;
            if (!isInside)
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>A stage of a found plan.</summary>
internal readonly record struct Cut(int Node, int First, int End);

/// <summary>A found plan and its value: milliseconds of a step, hops included.</summary>
internal sealed record CutPlan(Cut[] Cuts, double Milliseconds, double SlowestStage);
