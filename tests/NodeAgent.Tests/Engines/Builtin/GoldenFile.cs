using System.Text.Json;
using ClusterLlm.Testing;

namespace ClusterLlm.NodeAgent.Tests.Engines.Builtin;

/// <summary>One prompt with the reference's greedy tokens.</summary>
/// <param name="TopMargins">How far the second best token was, per token.</param>
internal sealed record GoldenCase(string Name, int[] PromptIds, int[] Tokens, double[] LogProbs, double[] TopMargins);

/// <summary>Reads the golden files: those of the tiny models and of SmolLM2 list "cases" with a top 5, that of demo-3m "prompts" with margins.</summary>
internal static class GoldenFile
{
    /// <summary>Model names; SmolLM2 is found beside the repository.</summary>
    public static IEnumerable<string> Models => [.. TestModels.Tiny, "demo-3m", SmolLm2];

    public const string SmolLm2 = "SmolLM2-135M-Instruct-4bit";

    public static string FolderOf(string model) =>
        model == SmolLm2 ? SharedFiles.Require($"models/{SmolLm2}") : TestModels.PathOf(model);

    public static IReadOnlyList<GoldenCase> Read(string model)
    {
        var path = model == SmolLm2 ? SharedFiles.Require("models/golden/smollm2-135m-4bit.json") : Path.Combine(FolderOf(model), "golden.json");
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.TryGetProperty("cases", out var cases)
            ? [.. cases.EnumerateArray().Select(ReadCase)]
            : [.. document.RootElement.GetProperty("prompts").EnumerateArray().Select(ReadPrompt)];
    }

    /// <summary>The allowed difference of logprobs: what the issue asks for.</summary>
    public static double Tolerance(string model) => model == "llama-f32" ? 1e-3 : 2e-3;

    private static GoldenCase ReadCase(JsonElement json) => new(
        json.GetProperty("name").GetString()!,
        Integers(json.GetProperty("prompt_ids")),
        Integers(json.GetProperty("tokens")),
        Numbers(json.GetProperty("logprobs")),
        [.. json.GetProperty("top5").EnumerateArray().Select(top => top[0][1].GetDouble() - top[1][1].GetDouble())]);

    private static GoldenCase ReadPrompt(JsonElement json) => new(
        json.GetProperty("name").GetString()!,
        Integers(json.GetProperty("prompt_ids")),
        Integers(json.GetProperty("tokens")),
        Numbers(json.GetProperty("logprobs")),
        Numbers(json.GetProperty("margins")));

    private static int[] Integers(JsonElement json) => [.. json.EnumerateArray().Select(value => value.GetInt32())];

    private static double[] Numbers(JsonElement json) => [.. json.EnumerateArray().Select(value => value.GetDouble())];
}
