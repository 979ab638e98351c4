using System.Collections.Immutable;
using ClusterLlm.Coordinator.Data;
using Microsoft.EntityFrameworkCore;

namespace ClusterLlm.Coordinator.Nodes.Links;

/// <summary>What is known of the links between nodes: readings in memory, choices of a person on disk.</summary>
internal sealed class LinkRegistry(IDbContextFactory<CoordinatorDbContext> contexts)
{
    private ImmutableDictionary<(string From, string To), NodeLink> _links = ImmutableDictionary<(string, string), NodeLink>.Empty;

    public IEnumerable<NodeLink> All => _links.Values.OrderBy(link => (link.FromNodeId, link.ToNodeId));

    public NodeLink? Find(string from, string to) => _links.GetValueOrDefault((from, to));

    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await context.LinkChoices.AsNoTracking().ToListAsync(cancellationToken);
        _links = rows.ToImmutableDictionary(row => (row.FromNodeId, row.ToNodeId), row => new NodeLink(row.FromNodeId, row.ToNodeId, [], row.Url));
    }

    /// <summary>Replaces what was measured between two nodes.</summary>
    public void Save(string from, string to, ImmutableArray<AddressReading> readings) => ImmutableInterlocked.AddOrUpdate(
        ref _links, (from, to), _ => new NodeLink(from, to, readings, null), (_, link) => link with { Addresses = readings });

    /// <param name="url">The address to use from now on; <see langword="null"/>: the best one.</param>
    public async Task ChooseAsync(string from, string to, string? url, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        await context.LinkChoices.Where(row => row.FromNodeId == from && row.ToNodeId == to).ExecuteDeleteAsync(cancellationToken);
        if (url is not null)
        {
            context.LinkChoices.Add(new LinkChoiceRow { FromNodeId = from, ToNodeId = to, Url = url });
            await context.SaveChangesAsync(cancellationToken);
        }

        ImmutableInterlocked.AddOrUpdate(ref _links, (from, to), _ => new NodeLink(from, to, [], url), (_, link) => link with { Chosen = url });
    }

    /// <summary>Where <paramref name="from"/> reaches <paramref name="to"/>.</summary>
    public LinkDecision Decide(NodeSnapshot from, NodeSnapshot to) => LinkChoice.Decide(NodeAddresses.ForOthers(to), Find(from.NodeId, to.NodeId));
}
