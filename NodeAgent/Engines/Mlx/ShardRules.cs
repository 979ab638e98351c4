using System.Collections.Immutable;
using System.Globalization;
using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Mlx.Installing;
using ClusterLlm.NodeAgent.Engines.Mlx.Ring;

namespace ClusterLlm.NodeAgent.Engines.Mlx;

/// <summary>What stands against a shard, from the plan, the model's headers and the installation alone.</summary>
internal static class ShardRules
{
    /// <summary>What the loader replaces and wraps is found under this name.</summary>
    private const string SplitPrefix = "model.";

    public static ImmutableArray<ShardProblem> Check(ShardSpec spec, ModelFolder model, MlxProbeReport report, MlxOptions options)
    {
        var layers = model.Config.LayerCount;
        if (spec.FirstLayer < 0 || spec.LayerCount < 1 || spec.EndLayer > layers || (spec.IsFirstStage && spec.FirstLayer != 0) || (spec.IsLastStage && spec.EndLayer != layers))
        {
            return [Problem("layers", $"Rank {spec.Rank} of {spec.WorldSize} can't hold layers [{spec.FirstLayer}, {spec.EndLayer}) of the {layers} layers of {model.Id}: rank 0 ends with the last one, rank {spec.WorldSize - 1} begins with the first.")];
        }

        return [.. Faults(spec, model, report, options)];
    }

    private static IEnumerable<ShardProblem> Faults(ShardSpec spec, ModelFolder model, MlxProbeReport report, MlxOptions options)
    {
        var type = model.Config.ModelType;
        if (!report.ModelTypes.Contains(type))
        {
            yield return Problem("engine", $"mlx-lm {report.MlxLmVersion} has no model of type '{type}'.");
        }

        if (Missing(spec, model) is { } missing)
        {
            yield return Problem("model", missing);
        }

        if (spec.WorldSize == 1)
        {
            yield break;
        }

        if (!report.Splittable.Contains(type) || model.Layout.Prefix != SplitPrefix)
        {
            yield return Problem("engine", $"Models of type '{type}' can't be split over several nodes by the mlx engine: only {string.Join(", ", report.Splittable)} can. Run it on one node.");
        }

        if (!report.Ring)
        {
            yield return Problem("engine", "This build of mlx has no ring: install the requirements of this version.");
        }

        if (options.Transport == MlxTransport.Jaccl && JacclPreflight.Check(spec, options, report, OperatingSystem.IsMacOS(), Environment.OSVersion.Version) is { } fault)
        {
            yield return Problem("engine", fault);
        }
    }

    private static string? Missing(ShardSpec spec, ModelFolder model)
    {
        if (model.Tensors.MissingFiles.IsEmpty)
        {
            return null;
        }

        var layout = model.Layout;
        List<string> prefixes = [.. Enumerable.Range(spec.FirstLayer, spec.LayerCount).Select(layout.LayerPrefix)];
        prefixes.AddRange(spec.IsFirstStage || (spec.IsLastStage && layout.TiedEmbeddings) ? [layout.EmbeddingName + "."] : []);
        prefixes.AddRange(spec.IsLastStage ? [layout.FinalNormName + "."] : []);
        prefixes.AddRange(spec.IsLastStage && !layout.TiedEmbeddings ? [layout.HeadName + "."] : []);
        var tensors = model.Tensors.MissingTensors.Where(name => prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))).Order(StringComparer.Ordinal).ToArray();
        return tensors.Length == 0
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"{tensors.Length} tensors of layers [{spec.FirstLayer}, {spec.EndLayer}) are in files that are not in {model.Path} ({string.Join(", ", model.Tensors.MissingFiles)}), the first is {tensors[0]}: copy these files to this node.");
    }

    private static ShardProblem Problem(string constraint, string message) => new(constraint, message);
}
