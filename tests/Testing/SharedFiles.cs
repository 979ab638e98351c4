namespace ClusterLlm.Testing;

/// <summary>
/// Large test data that is not in the repository: a folder <c>shared/</c> beside it, or the one that the environment variable
/// <c>CLUSTERLLM_SHARED</c> names.
/// </summary>
public static class SharedFiles
{
    public const string Variable = "CLUSTERLLM_SHARED";

    /// <summary>The folder; null when it is not there.</summary>
    public static string? Root { get; } = Find();

    /// <summary>The path below <see cref="Root"/>; null when it does not exist.</summary>
    /// <param name="relativePath">With forward slashes, for example <c>models/SmolLM2-135M-Instruct-4bit</c>.</param>
    public static string? Find(string relativePath)
    {
        var path = Root is null ? null : Path.Combine(Root, relativePath);
        return Path.Exists(path) ? path : null;
    }

    /// <summary>The path below <see cref="Root"/>; skips the running test, saying what is missing, when it does not exist.</summary>
    public static string Require(string relativePath)
    {
        var path = Find(relativePath);
        Assert.SkipWhen(path is null, $"shared/{relativePath} is not there: put it beside the repository, or name the shared folder in {Variable}.");
        return path!;
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
        {
            return Directory.Exists(named) ? named : null;
        }

        // The repository is the folder with the solution; the shared folder is its neighbour.
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var shared = Path.Combine(folder.FullName, "shared");
            if (Directory.Exists(Path.Combine(shared, "models")))
            {
                return shared;
            }
        }

        return null;
    }
}
