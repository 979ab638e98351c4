using System.Collections.Immutable;
using ClusterLlm.Coordinator.Hosting;

namespace ClusterLlm.Coordinator.Models;

/// <summary>What models each node has.</summary>
internal sealed class ModelRegistry
{
    private readonly SnapshotFeed<ImmutableSortedDictionary<string, NodeInventory>> _feed =
        new(ImmutableSortedDictionary.Create<string, NodeInventory>(StringComparer.Ordinal));

    public ImmutableSortedDictionary<string, NodeInventory> Current => _feed.Current;

    public SnapshotFeed<ImmutableSortedDictionary<string, NodeInventory>>.Subscription Subscribe() => _feed.Subscribe();

    public void Report(NodeInventory inventory) => _feed.Update(all => (all.SetItem(inventory.NodeId, inventory), true));

    /// <summary>Forgets nodes that are not among <paramref name="nodeIds"/>.</summary>
    public void KeepOnly(IReadOnlySet<string> nodeIds) =>
        _feed.Update(all => all.Keys.All(nodeIds.Contains) ? (all, false) : (all.RemoveRange(all.Keys.Where(id => !nodeIds.Contains(id))), true));
}
