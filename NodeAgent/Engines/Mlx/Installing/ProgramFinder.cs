namespace ClusterLlm.NodeAgent.Engines.Mlx.Installing;

/// <summary>Finds programs as a shell does.</summary>
/// <param name="SearchPath">Folders, separated as in the variable <c>PATH</c>.</param>
internal sealed record ProgramFinder(string SearchPath)
{
    public static ProgramFinder OfThisProcess { get; } = new(Environment.GetEnvironmentVariable("PATH") ?? "");

    /// <summary>The full path of a program; null when there is none.</summary>
    public string? Find(string program) => SearchPath
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, program))
        .FirstOrDefault(File.Exists);
}
