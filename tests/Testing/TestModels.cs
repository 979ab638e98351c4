namespace ClusterLlm.Testing;

/// <summary>The small models that tests always have; Models/README.md tells what they are.</summary>
public static class TestModels
{
    private static readonly string Root = Path.Combine(AppContext.BaseDirectory, "Models");

    /// <summary>Names of the random-weight models with a golden.json.</summary>
    public static IReadOnlyList<string> Tiny { get; } =
    [
        "llama-bf16-sharded", "llama-f16", "llama-f32", "llama3-rope-scaling", "qwen2-8bit-g32", "qwen2-bf16", "qwen3-4bit-g64",
    ];

    /// <summary>All names that <see cref="PathOf"/> knows.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Tiny, "demo-3m", "demo-3m-4bit"];

    /// <summary>The folder of a model.</summary>
    public static string PathOf(string name)
    {
        var path = Tiny.Contains(name) ? Path.Combine(Root, "tiny", name) : Path.Combine(Root, name);
        return Directory.Exists(path) ? path : throw new DirectoryNotFoundException($"There is no test model {name} in {Root}.");
    }
}
