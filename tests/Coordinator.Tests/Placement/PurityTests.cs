using System.Text.RegularExpressions;

namespace ClusterLlm.Coordinator.Tests.Placement;

/// <summary>Placement decides and does nothing else: its sources name no I/O, no tasks, no loggers.</summary>
public sealed partial class PurityTests
{
    [Fact]
    public void Placement_Sources_NameNoInputOutput()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "ClusterLlm.sln")))
        {
            root = root.Parent;
        }

        Assert.SkipWhen(root is null, "The sources are not beside the test: no ClusterLlm.sln in a folder above it.");
        var files = Directory.GetFiles(Path.Combine(root!.FullName, "Coordinator", "Placement"), "*.cs", SearchOption.AllDirectories);

        Assert.NotEmpty(files);
        Assert.Empty(files.Where(file => Forbidden().IsMatch(File.ReadAllText(file))).Select(Path.GetFileName));
    }

    [GeneratedRegex(@"\bTask\b|\bILogger\b|\bGrpc\b|Microsoft\.AspNetCore|System\.IO|System\.Net")]
    private static partial Regex Forbidden();
}
