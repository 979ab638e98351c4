using System.Collections.Immutable;
using System.Text.Json;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Installing;

/// <summary>What <c>python -m clusterllm_mlx.probe</c> says of an environment.</summary>
/// <param name="Device">MLX's device facts: on Metal also <c>max_recommended_working_set_size</c> and <c>memory_size</c> in bytes.</param>
/// <param name="Splittable">Model types that can be split over several nodes.</param>
/// <param name="ModelTypes">Model types that run on one node.</param>
internal sealed record MlxProbeReport(
    string PythonVersion,
    string MlxVersion,
    string MlxLmVersion,
    string? Fault,
    bool Metal,
    bool Ring,
    bool Jaccl,
    ImmutableDictionary<string, string> Device,
    ImmutableArray<string> Splittable,
    ImmutableArray<string> ModelTypes)
{
    /// <summary>For people, and compared between the nodes of a plan.</summary>
    public string Version => $"mlx {MlxVersion}, mlx-lm {MlxLmVersion}";

    /// <summary>
    /// Parses the last line of the probe's output, for example
    /// <c>{"python": "3.11.7", "mlx": "0.32.4", "mlx_lm": "0.32.2", "fault": null, "metal": false, "ring": true, "jaccl": false, "device": {"architecture": "x86_64"}, "families": ["llama"], "model_types": ["llama", "gemma"]}</c>.
    /// </summary>
    /// <exception cref="JsonException">It is something else.</exception>
    public static MlxProbeReport Parse(string output)
    {
        var line = output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? "";
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        try
        {
            return new MlxProbeReport(
                Text("python"),
                Text("mlx"),
                Text("mlx_lm"),
                root.GetProperty("fault").GetString(),
                root.GetProperty("metal").GetBoolean(),
                root.GetProperty("ring").GetBoolean(),
                root.GetProperty("jaccl").GetBoolean(),
                root.GetProperty("device").EnumerateObject().ToImmutableDictionary(fact => fact.Name, fact => fact.Value.ToString()),
                Names("families"),
                Names("model_types"));
        }
        catch (Exception error) when (error is KeyNotFoundException or InvalidOperationException)
        {
            throw new JsonException($"The probe's output lacks a field: {error.Message}", error);
        }

        string Text(string name) => root.GetProperty(name).GetString() ?? throw new JsonException($"'{name}' is null.");

        ImmutableArray<string> Names(string name) => [.. root.GetProperty(name).EnumerateArray().Select(item => item.GetString() ?? "")];
    }
}
