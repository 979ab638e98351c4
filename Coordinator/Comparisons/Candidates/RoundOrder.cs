using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Comparisons.Candidates;

/// <summary>In which order a round visits the candidates. Pure.</summary>
internal static class RoundOrder
{
    /// <summary>
    /// Every candidate once, shuffled anew each round: what drifts (heat, another program) hits each of them early in some rounds and late in others. Every second
    /// round is the one before it reversed, so that a steady drift cancels out.
    /// </summary>
    /// <param name="round">0, 1, …</param>
    public static ImmutableArray<int> Of(int candidates, int round, int seed)
    {
        var order = Enumerable.Range(0, candidates).ToArray();
        new Random(HashCode(seed, round / 2)).Shuffle(order);
        if (round % 2 == 1)
        {
            Array.Reverse(order);
        }

        return [.. order];
    }

    // System.HashCode differs between processes; a seed must give the same order tomorrow.
    private static int HashCode(int seed, int pair) => unchecked((seed * 486187739) + (pair * 16777619));
}
