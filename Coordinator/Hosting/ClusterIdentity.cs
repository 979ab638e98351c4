namespace ClusterLlm.Coordinator.Hosting;

/// <summary>The cluster's name for itself: made once, kept in the database.</summary>
internal sealed class ClusterIdentity
{
    private string? _clusterId;

    /// <summary>The id; known once the store has been opened.</summary>
    /// <exception cref="InvalidOperationException">It was read before the store was opened.</exception>
    public string ClusterId
    {
        get => Volatile.Read(ref _clusterId) ?? throw new InvalidOperationException("The cluster id is read before the store is opened.");
        set => Volatile.Write(ref _clusterId, value);
    }
}
