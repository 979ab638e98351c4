using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using ClusterLlm.Coordinator.Hosting;

namespace ClusterLlm.Coordinator.Comparisons.Storage;

/// <summary>All comparisons, by id: in memory for readers, on disk over restarts.</summary>
internal sealed class ComparisonRegistry(ComparisonStore store)
{
    private readonly SnapshotFeed<ImmutableSortedDictionary<string, ComparisonRecord>> _feed =
        new(ImmutableSortedDictionary.Create<string, ComparisonRecord>(StringComparer.Ordinal));

    /// <summary>Oldest first.</summary>
    public ImmutableArray<ComparisonRecord> All => [.. _feed.Current.Values.OrderBy(record => record.CreatedAt)];

    public ComparisonRecord? Find(string id) => _feed.Current.GetValueOrDefault(id);

    /// <summary>Reads what the last run left; what was not over then never will be.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        foreach (var record in await store.LoadAsync(cancellationToken))
        {
            var known = record.IsOver ? record : record with { State = ComparisonState.Interrupted, Reason = "The Coordinator ended while it ran.", Progress = null };
            if (known != record)
            {
                await store.SaveAsync(known, cancellationToken);
            }

            Publish(known);
        }
    }

    /// <summary>Publishes a record; on disk go new states and whole rounds, not each step in between.</summary>
    public async Task SaveAsync(ComparisonRecord record, CancellationToken cancellationToken)
    {
        var before = Find(record.Id);
        Publish(record);
        if (before is null || before.State != record.State || before.Samples.Length != record.Samples.Length || record.IsOver)
        {
            await store.SaveAsync(record, cancellationToken);
        }
    }

    public async Task RemoveAsync(string id, CancellationToken cancellationToken)
    {
        await store.DeleteAsync(id, cancellationToken);
        _feed.Update(all => (all.Remove(id), true));
    }

    /// <summary>A comparison now and after each change, until it is over or gone.</summary>
    public async IAsyncEnumerable<ComparisonRecord> WatchAsync(string id, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var changes = _feed.Subscribe();
        ComparisonRecord? sent = null;
        await foreach (var all in changes.AllAsync(cancellationToken))
        {
            if (!all.TryGetValue(id, out var record))
            {
                yield break;
            }

            if (!ReferenceEquals(record, sent))
            {
                yield return sent = record;
            }

            if (record.IsOver)
            {
                yield break;
            }
        }
    }

    private void Publish(ComparisonRecord record) => _feed.Update(all => (all.SetItem(record.Id, record), true));
}
