using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using ClusterLlm.NodeAgent.Engines.Mlx.Installing;
using ClusterLlm.NodeAgent.Engines.Mlx.Ring;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Processes;

/// <summary>How a rank's process is started.</summary>
internal sealed record RankCommand(string Program, ImmutableArray<string> Arguments, ImmutableDictionary<string, string?> Environment)
{
    /// <param name="folder">A folder of this rank's own, for its plan and host file.</param>
    public static RankCommand For(
        ShardSpec spec,
        string modelPath,
        string python,
        MlxPackage package,
        MlxOptions options,
        string folder,
        RingAddresses hosts,
        MlxBudget budget)
    {
        var plan = Path.Combine(folder, "plan.json");
        var environment = package.Environment.ToImmutableDictionary().SetItems(hosts.Environment(spec.Rank, folder));
        File.WriteAllText(plan, JsonSerializer.Serialize(new
        {
            group = $"{spec.DeploymentId}.{spec.Generation}",
            world = spec.WorldSize,
            layers = new[] { spec.FirstLayer, spec.EndLayer },
            backend = hosts.Backend,
        }));
        return new RankCommand(python, [.. ArgumentsOf(spec, modelPath, plan, options, budget)], environment);
    }

    private static IEnumerable<string> ArgumentsOf(ShardSpec spec, string modelPath, string plan, MlxOptions options, MlxBudget budget)
    {
        yield return "-m";
        yield return "clusterllm_mlx";
        (string Name, object Value)[] named =
        [
            ("--plan", plan),
            ("--rank", spec.Rank),
            ("--model", modelPath),
            ("--port", 0),
            ("--context-tokens", spec.ContextTokens),
            ("--concurrency", Math.Max(1, spec.MaxConcurrency)),
            ("--prefill-step-size", budget.PrefillChunkTokens),
            ("--prompt-cache-size", options.PromptCacheSequences),
            ("--prompt-cache-tokens", budget.PromptCacheTokens),
            ("--stall-seconds", options.StallTimeout.TotalSeconds),
            ("--wired", options.Wired),
            ("--cache-limit-bytes", budget.BufferPoolBytes),
        ];
        foreach (var (name, value) in named)
        {
            yield return name;
            yield return Convert.ToString(value, CultureInfo.InvariantCulture)!;
        }

        yield return "--watch-parent";
    }
}
