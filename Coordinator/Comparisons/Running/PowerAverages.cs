using System.Collections.Immutable;
using ClusterLlm.Coordinator.Nodes;

namespace ClusterLlm.Coordinator.Comparisons.Running;

/// <summary>Averages of what nodes report as power between two moments. Not safe for threads.</summary>
internal sealed class PowerAverages
{
    private readonly Dictionary<string, (string Machine, List<double> Watts)> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _newest = new(StringComparer.Ordinal);

    /// <summary>Counts a reading once, however often it is shown.</summary>
    public void Add(string node, string machine, NodeReading reading)
    {
        if (reading.PowerWatts is not { } watts || (_newest.TryGetValue(node, out var newest) && reading.TakenAt <= newest))
        {
            return;
        }

        _newest[node] = reading.TakenAt;
        if (!_nodes.TryGetValue(node, out var known))
        {
            _nodes[node] = known = (machine, []);
        }

        known.Watts.Add(watts);
    }

    /// <returns>
    /// Watts of all machines of the nodes since the last call; agents of one machine all report the same power, and it counts once. <see langword="null"/> when a node told none.
    /// </returns>
    public double? Take(ImmutableHashSet<string> nodes)
    {
        var seen = nodes.Where(_nodes.ContainsKey).Select(node => _nodes[node]).ToArray();
        double? sum = seen.Length == nodes.Count
            ? seen.GroupBy(one => one.Machine, StringComparer.Ordinal).Sum(machine => machine.SelectMany(one => one.Watts).Average())
            : null;
        _nodes.Clear();
        return sum;
    }
}
