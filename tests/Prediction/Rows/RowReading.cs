using System.Globalization;
using System.Text.RegularExpressions;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Prediction.Rows;

/// <summary>Reads what a row's free text means: engine family, tokens in the cache, prompt length.</summary>
internal static partial class RowReading
{
    // Where a row says nothing of its context, a chat-sized one.
    private const double UnstatedContext = 300;

    /// <summary><see langword="null"/> for engines that the model doesn't cover.</summary>
    public static EngineFamily? Family(MeasurementRow row) => row.Engine switch
    {
        // One author's rows are of a build of early 2024, before flash attention on Metal (performance.md section 1).
        "llama.cpp" when row.Source == "XJD" => EngineFamily.LlamaCppEarly,
        "llama.cpp" or "llama.cpp RPC" => EngineFamily.LlamaCpp,
        "ollama/llama.cpp" or "lmstudio-llama.cpp" => EngineFamily.LlamaCppWrapped,
        _ when row.Engine.StartsWith("mlx (authors'", StringComparison.Ordinal) => null,
        _ when row.Engine.StartsWith("mlx", StringComparison.Ordinal)
            || row.Engine == "lmstudio-mlx"
            || row.Engine.StartsWith("exo", StringComparison.Ordinal) => EngineFamily.Mlx,
        _ => null,
    };

    /// <summary>Tokens in the cache in the middle of the measured generation.</summary>
    public static double ContextTokens(MeasurementRow row)
    {
        var text = row.ContextAndPrompt;
        if (PromptAndGeneration().Match(text) is { Success: true } bench)
        {
            var half = Number(bench.Groups[2]) / 2;
            // mlx_lm.benchmark generates after its prompt; llama-bench tests generation from an empty cache.
            return row.Engine.StartsWith("mlx", StringComparison.Ordinal) ? Number(bench.Groups[1]) + half : half;
        }

        if (SlashPair().Match(text) is { Success: true } pair)
        {
            return Number(pair.Groups[1]) + (Number(pair.Groups[2]) / 2);
        }

        if (Generation().Match(text) is { Success: true } generation)
        {
            return Number(generation.Groups[1]) / 2;
        }

        return Leading().Match(text) is { Success: true } plain ? Number(plain.Groups[1]) + 200 : UnstatedContext;
    }

    /// <summary>Tokens of the prompt whose speed was measured; <see langword="null"/> when the row doesn't say.</summary>
    public static int? PromptTokens(MeasurementRow row) =>
        Prompt().Match(row.ContextAndPrompt) is { Success: true } match ? (int)Number(match.Groups[1]) : null;

    private static double Number(Group group) => double.Parse(group.ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^pp(\d+) ?/ ?tg(\d+)")]
    private static partial Regex PromptAndGeneration();

    [GeneratedRegex(@"^(\d+)/(\d+)$")]
    private static partial Regex SlashPair();

    [GeneratedRegex(@"^tg(\d+)")]
    private static partial Regex Generation();

    [GeneratedRegex(@"^(\d+)")]
    private static partial Regex Leading();

    [GeneratedRegex(@"^(?:pp)?(\d+)(?:$| ?/)")]
    private static partial Regex Prompt();
}
