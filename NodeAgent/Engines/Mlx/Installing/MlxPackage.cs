using System.Collections.Immutable;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Installing;

/// <summary>The Python package of this engine, as it lies beside the agent.</summary>
/// <param name="Folder">Holds <c>clusterllm_mlx/</c> and the requirements.</param>
internal sealed record MlxPackage(string Folder, bool IsMac)
{
    public static MlxPackage Shipped { get; } = new(Path.Combine(AppContext.BaseDirectory, "Engines", "Mlx", "Python"), OperatingSystem.IsMacOS());

    /// <summary>
    /// The pinned requirements of this platform, complete: nothing is resolved. Those of Linux all carry hashes; of macOS only the first file does, because pip
    /// takes no file that has them for a part.
    /// </summary>
    public ImmutableArray<string> Requirements => IsMac
        ? [Path.Combine(Folder, "requirements-macos.txt"), Path.Combine(Folder, "requirements-macos-compiled.txt")]
        : [Path.Combine(Folder, "requirements.txt")];

    /// <summary>What every process of this engine gets, and what it must not have.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; } = new Dictionary<string, string?>
    {
        ["PYTHONPATH"] = Folder,
        ["PYTHONUNBUFFERED"] = "1",
        ["PYTHONDONTWRITEBYTECODE"] = "1",
        ["HF_HUB_OFFLINE"] = "1",
        ["TRANSFORMERS_OFFLINE"] = "1",
        ["TOKENIZERS_PARALLELISM"] = "false",
        // Faster fences, but they can wedge the GPU until the next boot.
        ["MLX_METAL_FAST_SYNCH"] = null,
        ["MLX_RANK"] = null,
        ["MLX_HOSTFILE"] = null,
        ["MLX_IBV_DEVICES"] = null,
        ["MLX_JACCL_COORDINATOR"] = null,
        // On a CPU mx.compile calls the system's C++ compiler at run time, which fails with many versions of it.
        ["MLX_DISABLE_COMPILE"] = OperatingSystem.IsMacOS() ? null : "1",
    };
}
