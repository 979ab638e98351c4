namespace ClusterLlm.NodeAgent.Tests.Hardware;

/// <summary>Recorded outputs; Samples/README.md tells where they come from.</summary>
internal static class Samples
{
    public static string Read(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Hardware", "Samples", name));

    public static IEnumerable<string> All(string pattern) =>
        Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Hardware", "Samples"), pattern).Select(path => Path.GetFileName(path)!);
}
