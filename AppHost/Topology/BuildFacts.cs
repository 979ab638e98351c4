using System.Reflection;

namespace ClusterLlm.AppHost.Topology;

/// <summary>What the build wrote into this assembly: where the started projects' outputs and the samples lie.</summary>
/// <param name="Outputs">Path of each started project's assembly, by the project's name.</param>
/// <param name="SamplesFolder">Absolute folder of the models that come with the repository.</param>
internal sealed record BuildFacts(IReadOnlyDictionary<string, string> Outputs, string SamplesFolder)
{
    private const string OutputPrefix = "StartedProject:";

    private Dictionary<string, string> ProjectPaths { get; init; } = [];

    /// <summary>Why this host was built with Aspire, or without it.</summary>
    public string AspireReason { get; private init; } = "";

    public static BuildFacts Read()
    {
        var entries = typeof(BuildFacts).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().ToList();
        var outputs = entries
            .Where(entry => entry.Key.StartsWith(OutputPrefix, StringComparison.Ordinal))
            .ToDictionary(
                entry => Path.GetFileNameWithoutExtension(entry.Key[OutputPrefix.Length..]),
                entry => entry.Value ?? "",
                StringComparer.Ordinal);
        return new(outputs, entries.First(entry => entry.Key == "SamplesFolder").Value ?? "")
        {
            ProjectPaths = entries
                .Where(entry => entry.Key.StartsWith(OutputPrefix, StringComparison.Ordinal))
                .Select(entry => entry.Key[OutputPrefix.Length..])
                .ToDictionary(path => Path.GetFileNameWithoutExtension(path)),
            AspireReason = entries.FirstOrDefault(entry => entry.Key == "AspireReason")?.Value ?? "",
        };
    }

    /// <summary>Absolute path of a started project's file.</summary>
    public string ProjectPath(string project) => ProjectPaths[project];

    /// <summary>One line for each process whose program is not there; empty when all can start.</summary>
    public IReadOnlyList<string> Missing(ClusterTopology topology) =>
    [
        .. topology.Processes
            .Select(process => process.Project)
            .Distinct()
            .Where(project => !Outputs.TryGetValue(project, out var path) || !File.Exists(path))
            .Select(project =>
                $"The program of {project} is missing ({Outputs.GetValueOrDefault(project, "not built")}). Run: dotnet build AppHost"),
    ];
}
