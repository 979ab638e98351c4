using System.Text.Json;
using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Installing;

/// <summary>Keeps what an environment's probe said: importing MLX takes seconds, and an agent asks at every start.</summary>
internal sealed partial class ProbeCache(ClusterHome home, MlxPackage package, ILogger<ProbeCache> logger)
{
    private string File => Path.Combine(home.Path, "mlx-probe.json");

    /// <summary>The probe's output; null when there is none for this interpreter with these packages.</summary>
    public string? Find(string python)
    {
        try
        {
            var stamp = Stamp(python);
            return stamp is not null && System.IO.File.Exists(File) && JsonSerializer.Deserialize<Entry>(System.IO.File.ReadAllBytes(File)) is { } entry && entry.Stamp == stamp
                ? entry.Output
                : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            LogUnusable(error, File);
            return null;
        }
    }

    public void Store(string python, string output)
    {
        if (Stamp(python) is not { } stamp)
        {
            return;
        }

        try
        {
            home.Create();
            var temporary = $"{File}.{Guid.NewGuid():N}";
            System.IO.File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(new Entry(stamp, output)));
            System.IO.File.Move(temporary, File, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            LogUnusable(error, File);
        }
    }

    /// <summary>Changes with the interpreter, with an installed or removed package, and with this package; null for a Python outside of an environment.</summary>
    private string? Stamp(string python)
    {
        var library = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(Path.GetFullPath(python))!) ?? "/", "lib");
        var packages = Directory.Exists(library)
            ? Directory.GetDirectories(library, "python*").Select(folder => Path.Combine(folder, "site-packages")).Where(Directory.Exists).Order(StringComparer.Ordinal).ToArray()
            : [];
        if (packages.Length == 0)
        {
            return null;
        }

        IEnumerable<string> times = packages.Append(python)
            .Concat(Directory.GetFiles(Path.Combine(package.Folder, "clusterllm_mlx"), "*.py").Order(StringComparer.Ordinal))
            .Select(path => $"{path}:{System.IO.File.GetLastWriteTimeUtc(path).Ticks}");
        return string.Join('|', times);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "What is kept of MLX's probe in {Path} can't be used")]
    private partial void LogUnusable(Exception error, string path);

    private sealed record Entry(string Stamp, string Output);
}
