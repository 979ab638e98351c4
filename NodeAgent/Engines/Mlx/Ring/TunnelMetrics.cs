using System.Diagnostics;
using System.Diagnostics.Metrics;
using ClusterLlm.NodeAgent.Telemetry;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Ring;

/// <summary>What the tunnels of this node carry; each end of a tunnel counts for itself.</summary>
internal sealed class TunnelMetrics
{
    public const string Bytes = "clusterllm.tunnel.io";

    private readonly Counter<long> _bytes;
    private readonly UpDownCounter<long> _open;

    public TunnelMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(NodeMetrics.MeterName);
        _bytes = meter.CreateCounter<long>(Bytes, "By", "Bytes between ranks that this agent carried: activations, tokens and control messages.");
        _open = meter.CreateUpDownCounter<long>("clusterllm.tunnel.open", "{tunnel}", "Ends of tunnels that are open on this node.");
    }

    /// <param name="rank">Of this node.</param>
    /// <param name="peer">The rank at the other end.</param>
    public TunnelTraffic Open(string deploymentId, int rank, int peer)
    {
        TagList tags = new()
        {
            { "clusterllm.deployment.id", deploymentId },
            { "clusterllm.rank", rank },
            { "clusterllm.peer.rank", peer },
        };
        _open.Add(1, tags);
        return new TunnelTraffic(_bytes, _open, tags);
    }
}

/// <summary>Bytes that one end of a tunnel carried; disposing it says that the end is closed.</summary>
internal sealed class TunnelTraffic : IDisposable
{
    private readonly Counter<long> _bytes;
    private readonly UpDownCounter<long> _open;
    private readonly TagList _tags;
    private readonly TagList _sent;
    private readonly TagList _received;

    public TunnelTraffic(Counter<long> bytes, UpDownCounter<long> open, TagList tags)
    {
        (_bytes, _open, _tags) = (bytes, open, tags);
        // OpenTelemetry's name and values for the direction of bytes.
        _sent = [.. tags, new("network.io.direction", "transmit")];
        _received = [.. tags, new("network.io.direction", "receive")];
    }

    /// <param name="bytes">From this node's rank to its peer.</param>
    public void Sent(int bytes) => _bytes.Add(bytes, _sent);

    /// <param name="bytes">From the peer to this node's rank.</param>
    public void Received(int bytes) => _bytes.Add(bytes, _received);

    public void Dispose() => _open.Add(-1, _tags);
}
