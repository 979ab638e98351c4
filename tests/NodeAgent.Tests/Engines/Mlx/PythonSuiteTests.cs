using System.Diagnostics;
using ClusterLlm.NodeAgent.Engines.Mlx.Installing;
using ClusterLlm.Testing;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx;

/// <summary>The Python package's own tests.</summary>
[Collection(MlxProcesses.Name)]
public sealed class PythonSuiteTests(ITestOutputHelper output)
{
    [Fact(Timeout = 900_000)]
    public async Task Pytest_AllTests_Pass()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var python = MlxPython.Require();
        var none = new Dictionary<string, string?>();
        var pytest = await ToolRun.RunAsync(python, ["-c", "import pytest"], none, TimeSpan.FromMinutes(1), cancellation);
        Assert.SkipUnless(pytest.ExitCode == 0, $"{python} has no pytest: run .ci/python-environment artifacts/mlx-python, or install it there.");
        var folder = Path.Combine(MlxPython.Repository, "tests", "NodeAgent.Tests", "Engines", "Mlx", "Python");
        var watch = Stopwatch.StartNew();

        var result = await ToolRun.RunAsync(
            python,
            ["-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", folder],
            new Dictionary<string, string?> { ["PYTHONDONTWRITEBYTECODE"] = "1", ["MLX_DISABLE_COMPILE"] = "1" },
            TimeSpan.FromMinutes(14),
            cancellation);

        output.WriteLine($"{watch.Elapsed.TotalSeconds:0} s\n{result.Output}\n{result.Errors}");
        Assert.Equal(0, result.ExitCode);
    }
}
