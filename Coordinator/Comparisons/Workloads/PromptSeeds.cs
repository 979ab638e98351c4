namespace ClusterLlm.Coordinator.Comparisons.Workloads;

/// <summary>Seeds of prompts: the same for every candidate of a round, another one for each round, cell and request. Pure.</summary>
internal static class PromptSeeds
{
    /// <summary>Of the fixed prompt that every candidate must answer alike.</summary>
    public const int Check = 1;

    public static int Of(int seed, int round, int cell, int request) =>
        unchecked((int)(((((uint)seed * 31) + (uint)round + 1) * 1_000_003) + ((uint)cell * 10_007) + (uint)request)) & int.MaxValue;
}
