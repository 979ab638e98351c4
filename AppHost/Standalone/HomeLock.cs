namespace ClusterLlm.AppHost.Standalone;

/// <summary>Makes sure that one host at most uses a home folder. The system lets go of the lock however the holder ends, so it never goes stale.</summary>
internal sealed class HomeLock : IDisposable
{
    private readonly FileStream _lock;

    private HomeLock(FileStream held) => _lock = held;

    /// <summary>The lock, or null when another process holds it.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static HomeLock? TryTake(string home)
    {
        var folder = Directory.CreateDirectory(Path.Join(home, "run")).FullName;
        try
        {
            return new(new FileStream(Path.Join(folder, "apphost.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException held) when (held is not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException))
        {
            return null;
        }
    }

    public void Dispose() => _lock.Dispose();
}
