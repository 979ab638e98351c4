namespace ClusterLlm.NodeAgent.Shards;

/// <summary>Which generations were stopped here, so that a start that arrives late is refused. Not thread-safe.</summary>
internal sealed class EndedGenerations
{
    /// <summary>Deployments remembered: enough for every start that can still be under way, and a bound on memory.</summary>
    private const int Capacity = 4096;

    private readonly Dictionary<string, int> _highest = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    /// <summary>The highest generation that was stopped; 0 when none was.</summary>
    public int Of(string deploymentId) => _highest.GetValueOrDefault(deploymentId);

    public void Add(string deploymentId, int generation)
    {
        if (generation <= Of(deploymentId))
        {
            return;
        }

        if (_highest.TryAdd(deploymentId, generation))
        {
            _order.Enqueue(deploymentId);
        }
        else
        {
            _highest[deploymentId] = generation;
        }

        if (_order.Count > Capacity)
        {
            _highest.Remove(_order.Dequeue());
        }
    }
}
