using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Security;

/// <summary>The keys that are good now, in memory: a request must not wait for the database.</summary>
/// <remarks>The command line changes the database beside this process, so the ring is read again when it is older than a second.</remarks>
internal sealed class ApiKeyRing(ApiKeyStore store, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _reading = new(1);
    private Snapshot? _snapshot;
    private (string Id, string Hash)? _local;

    /// <summary>A key of this start for processes of this machine, with all scopes; it is not in the database.</summary>
    public void AddLocal(string id, string text) => _local = (id, ApiKeyText.Hash(text));

    /// <summary>What <paramref name="text"/> may do; <see langword="null"/> when it is no good key.</summary>
    public async ValueTask<ApiScopes?> FindAsync(string text, CancellationToken cancellationToken)
    {
        if (ApiKeyText.IdOf(text) is not { } id)
        {
            return null;
        }

        if (_local is { } local && local.Id == id)
        {
            return ApiKeyText.Fits(text, local.Hash) ? ApiScopes.Admin : null;
        }

        var keys = await KeysAsync(cancellationToken);
        return keys.TryGetValue(id, out var key) && ApiKeyText.Fits(text, key.Hash) ? key.Scopes : null;
    }

    /// <summary>Lets the next request see what was changed in this process.</summary>
    public void Forget() => Volatile.Write(ref _snapshot, null);

    public void Dispose() => _reading.Dispose();

    private async ValueTask<ImmutableDictionary<string, ApiKeyEntry>> KeysAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _snapshot) is { } known && time.GetElapsedTime(known.ReadAt) < Freshness)
        {
            return known.Keys;
        }

        await _reading.WaitAsync(cancellationToken);
        try
        {
            if (Volatile.Read(ref _snapshot) is { } newer && time.GetElapsedTime(newer.ReadAt) < Freshness)
            {
                return newer.Keys;
            }

            var entries = await store.ListAsync(cancellationToken);
            var snapshot = new Snapshot(time.GetTimestamp(), entries.Where(key => key.RevokedAt is null).ToImmutableDictionary(key => key.Id));
            Volatile.Write(ref _snapshot, snapshot);
            return snapshot.Keys;
        }
        finally
        {
            _reading.Release();
        }
    }

    private sealed record Snapshot(long ReadAt, ImmutableDictionary<string, ApiKeyEntry> Keys);
}
