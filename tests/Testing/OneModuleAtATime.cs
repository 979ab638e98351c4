namespace ClusterLlm.Testing;

/// <summary>
/// Lets one test module of this user run at a time. <c>dotnet test</c> starts as many as there are processors, and whole clusters that share two cores
/// measure each other: a comparison that is told what is faster then rightly finds nothing.
/// </summary>
/// <remarks>A mutex belongs to a thread and test frameworks change theirs, so a thread of its own holds it.</remarks>
public sealed class OneModuleAtATime : IDisposable
{
    /// <summary>All other modules together take less.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromHours(1);

    private readonly ManualResetEventSlim _taken = new();
    private readonly ManualResetEventSlim _ended = new();
    private readonly Thread _holder;
    private bool _isMine;

    /// <summary>Returns when no other module runs.</summary>
    public OneModuleAtATime()
    {
        _holder = new Thread(Hold) { IsBackground = true, Name = "one-module-at-a-time" };
        _holder.Start();
        _taken.Wait();
        if (!_isMine)
        {
            throw new TimeoutException($"Another test module has been running for {Limit.TotalMinutes:0} min; end it, or wait for it.");
        }
    }

    public void Dispose()
    {
        _ended.Set();
        _holder.Join();
        _taken.Dispose();
        _ended.Dispose();
    }

    private void Hold()
    {
        using var mutex = new Mutex(initiallyOwned: false, "clusterllm-tests", new NamedWaitHandleOptions { CurrentUserOnly = true, CurrentSessionOnly = false });
        _isMine = Take(mutex);
        _taken.Set();
        if (_isMine)
        {
            _ended.Wait();
            mutex.ReleaseMutex();
        }
    }

    private static bool Take(Mutex mutex)
    {
        try
        {
            return mutex.WaitOne(Limit);
        }
        catch (AbandonedMutexException)
        {
            // Whoever had it was killed; it is ours now.
            return true;
        }
    }
}
