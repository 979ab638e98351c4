using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Comparisons.Workloads;

/// <summary>What is measured when nobody says. Pure.</summary>
internal static class CellChoice
{
    private static readonly Workload Chat = new(128, 64);
    private static readonly ImmutableArray<Workload> Long = [new(2048, 64), new(8192, 64)];
    private static readonly ImmutableArray<int> Concurrency = [1, 2, 4, 8];

    /// <summary>
    /// A short chat at 1, 2, 4 and 8 requests; a prompt of 2k and one of 8k tokens for one request, as far as the context allows. Long prompts for many would take most of the
    /// time and say little more.
    /// </summary>
    /// <param name="contextTokens">The model's longest; 0 when unknown.</param>
    public static ImmutableArray<Cell> Default(int contextTokens)
    {
        var most = contextTokens == 0 ? int.MaxValue : contextTokens;
        var chat = Fit(Chat, most);
        return
        [
            .. Concurrency.Select(count => new Cell(chat, count)),
            .. Long.Where(workload => workload.PromptTokens + workload.OutputTokens <= most).Select(workload => new Cell(workload, 1)),
        ];
    }

    /// <summary>Tokens that the longest of them needs.</summary>
    public static int ContextTokens(ImmutableArray<Cell> cells) => cells.Max(cell => cell.Workload.PromptTokens + cell.Workload.OutputTokens);

    private static Workload Fit(Workload workload, int most) => workload.PromptTokens + workload.OutputTokens <= most
        ? workload
        : new Workload(Math.Max(1, most / 2), Math.Max(2, most / 4));
}
