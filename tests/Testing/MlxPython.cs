namespace ClusterLlm.Testing;

/// <summary>The Python environment that tests of the mlx engine run on: made by <c>.ci/python-environment artifacts/mlx-python</c>.</summary>
public static class MlxPython
{
    private const string Variable = "CLUSTERLLM_MLX_PYTHON";

    /// <summary>The folder with the solution.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>Whether there is one: for fixtures, which can't skip.</summary>
    public static bool IsThere => File.Exists(Interpreter);

    private static string Interpreter => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named
        ? named
        : Path.Combine(Repository, "artifacts", "mlx-python", "bin", "python");

    /// <summary>The interpreter; skips the running test, saying what is missing, when there is none.</summary>
    public static string Require()
    {
        Assert.SkipUnless(
            IsThere,
            $"There is no Python with MLX at {Interpreter}: run .ci/python-environment artifacts/mlx-python (it installs from the folder wheels/ in {SharedFiles.Variable}), or name an interpreter in {Variable}.");
        return Interpreter;
    }

    private static string FindRepository()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ClusterLlm.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} has ClusterLlm.sln.");
    }
}
