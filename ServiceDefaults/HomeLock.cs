namespace ClusterLlm.ServiceDefaults;

/// <summary>Makes sure that one process of a kind at most works in a home folder. The system lets go of the lock however the holder ends, so it never goes stale.</summary>
internal sealed class HomeLock : IDisposable
{
    /// <summary>The host that starts the cluster's processes.</summary>
    public const string AppHost = "apphost";

    /// <summary>The Coordinator itself; commands beside it are none.</summary>
    public const string Coordinator = "coordinator";

    /// <summary>Whoever makes the Python environment of MLX: all agents of a home folder use the same one.</summary>
    public const string MlxEnvironment = "mlx-environment";

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(200);

    private readonly FileStream _lock;

    private HomeLock(FileStream held) => _lock = held;

    /// <summary>The lock, or null when another process holds it.</summary>
    /// <param name="kind">Locks of different kinds do not exclude each other.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static HomeLock? TryTake(string home, string kind)
    {
        var folder = Directory.CreateDirectory(Path.Join(home, "run")).FullName;
        try
        {
            return new(new FileStream(Path.Join(folder, $"{kind}.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException held) when (held is not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException))
        {
            return null;
        }
    }

    /// <summary>Waits for the lock as long as another process holds it.</summary>
    /// <param name="kind">Locks of different kinds do not exclude each other.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static async Task<HomeLock> TakeAsync(string home, string kind, TimeProvider time, CancellationToken cancellationToken)
    {
        using var retry = new PeriodicTimer(RetryInterval, time);
        while (true)
        {
            if (TryTake(home, kind) is { } taken)
            {
                return taken;
            }

            await retry.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public void Dispose() => _lock.Dispose();
}
