namespace ClusterLlm.Coordinator.Security;

/// <summary>Slows down those who try secrets: after a few wrong ones from an address it has to wait, twice as long after each further one.</summary>
internal sealed class AttemptLimiter(TimeProvider time)
{
    /// <summary>Slips of a person that cost nothing.</summary>
    public const int FreeAttempts = 3;

    // Addresses that are remembered; the longest quiet ones are forgotten first.
    private const int MostAddresses = 10_000;
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(15);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Failures> _failures = new(StringComparer.Ordinal);

    /// <summary>How long <paramref name="address"/> has to wait until it is listened to; zero: it need not.</summary>
    public TimeSpan Wait(string address)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            return _failures.TryGetValue(address, out var known) && known.Until > now ? known.Until - now : TimeSpan.Zero;
        }
    }

    /// <summary>Notes a wrong secret.</summary>
    /// <returns>How many there were in a row.</returns>
    public int NoteFailure(string address)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            Forget_NeedsLock(now);
            var count = (_failures.TryGetValue(address, out var known) && now - known.LastAt < Memory ? known.Count : 0) + 1;
            var wait = count <= FreeAttempts ? TimeSpan.Zero : FirstWait * Math.Pow(2, Math.Min(count - FreeAttempts - 1, 20));
            _failures[address] = new(count, now, now + (wait < LongestWait ? wait : LongestWait));
            return count;
        }
    }

    /// <summary>A right secret ends the row.</summary>
    public void NoteSuccess(string address)
    {
        lock (_gate)
        {
            _failures.Remove(address);
        }
    }

    private void Forget_NeedsLock(DateTimeOffset now)
    {
        if (_failures.Count < MostAddresses)
        {
            return;
        }

        foreach (var (address, _) in _failures.Where(pair => now - pair.Value.LastAt >= Memory).ToArray())
        {
            _failures.Remove(address);
        }

        if (_failures.Count >= MostAddresses)
        {
            _failures.Remove(_failures.MinBy(pair => pair.Value.LastAt).Key);
        }
    }

    private sealed record Failures(int Count, DateTimeOffset LastAt, DateTimeOffset Until);
}
