using System.Collections.Immutable;
using ClusterLlm.Coordinator.Hosting;

namespace ClusterLlm.Coordinator.Nodes.Adding.Runs;

/// <summary>Runs since the Coordinator's start.</summary>
internal sealed class NodeRunRegistry
{
    // Old ones are of no use: what counts stands on the machine and in the list of nodes.
    private const int MostKept = 100;

    private readonly SnapshotFeed<ImmutableDictionary<string, NodeRun>> _feed = new(ImmutableDictionary.Create<string, NodeRun>(StringComparer.Ordinal));

    public IEnumerable<NodeRun> All => _feed.Current.Values.OrderByDescending(run => run.StartedAt).ThenBy(run => run.Id, StringComparer.Ordinal);

    public NodeRun? Find(string id) => _feed.Current.GetValueOrDefault(id);

    public SnapshotFeed<ImmutableDictionary<string, NodeRun>>.Subscription Subscribe() => _feed.Subscribe();

    /// <returns>False when another run works on the machine now: two at once would undo each other's work.</returns>
    public bool TryBegin(NodeRun run) => _feed.Update(runs =>
    {
        if (runs.Values.Any(other => other.State == NodeRunState.Running && other.Host == run.Host && other.Port == run.Port))
        {
            return (runs, false);
        }

        var old = runs.Values.Where(other => other.State != NodeRunState.Running).OrderByDescending(other => other.StartedAt).Skip(MostKept - 1).Select(other => other.Id);
        return (runs.RemoveRange(old).Add(run.Id, run), true);
    });

    public void Change(string id, Func<NodeRun, NodeRun> change) => _feed.Update(runs =>
        runs.TryGetValue(id, out var run) ? (runs.SetItem(id, change(run)), true) : (runs, false));
}
