using System.Collections.Immutable;
using ClusterLlm.ServiceDefaults.Security;
using Grpc.Core;
using Grpc.Net.Client;

namespace ClusterLlm.Coordinator.Nodes;

/// <summary>One gRPC channel for each node, made at its first use and closed when the node goes or comes back as another.</summary>
internal sealed class NodeChannels(NodeRegistry registry, ClusterCredentials credentials) : INodeChannels, IDisposable
{
    // An inventory of many models carries their config.json files.
    private const int MaxReceiveBytes = 64 * 1024 * 1024;
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(3);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private bool _disposed;

    public CallInvoker? Find(string nodeId)
    {
        if (!registry.Current.TryGetValue(nodeId, out var node))
        {
            return null;
        }

        lock (_gate)
        {
            if (_disposed)
            {
                return null;
            }

            if (_entries.TryGetValue(nodeId, out var entry) && entry.LinkKey == node.LinkKey)
            {
                return entry.Invoker;
            }

            var addresses = NodeAddresses.InOrder(node);
            return addresses.IsEmpty ? null : Replace_NeedsLock(nodeId, node.LinkKey, addresses, 0).Invoker;
        }
    }

    /// <summary>The address that calls to the node go to now; <see langword="null"/> before the first call.</summary>
    public string? AddressOf(string nodeId)
    {
        lock (_gate)
        {
            return _entries.TryGetValue(nodeId, out var entry) ? entry.Addresses[entry.Index] : null;
        }
    }

    /// <summary>Tries the node's next address, if it has several, after <paramref name="invoker"/> could not reach it.</summary>
    public void ReportUnreachable(string nodeId, CallInvoker invoker)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(nodeId, out var entry) && ReferenceEquals(entry.Invoker, invoker) && entry.Addresses.Length > 1)
            {
                Replace_NeedsLock(nodeId, entry.LinkKey, entry.Addresses, (entry.Index + 1) % entry.Addresses.Length);
            }
        }
    }

    /// <summary>Closes the channels of nodes that are gone or have been replaced.</summary>
    public void Prune()
    {
        var nodes = registry.Current;
        lock (_gate)
        {
            foreach (var (nodeId, entry) in _entries.ToArray())
            {
                if (!nodes.TryGetValue(nodeId, out var node) || node.LinkKey != entry.LinkKey)
                {
                    _entries.Remove(nodeId);
                    entry.Channel.Dispose();
                }
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            foreach (var entry in _entries.Values)
            {
                entry.Channel.Dispose();
            }

            _entries.Clear();
        }
    }

    private Entry Replace_NeedsLock(string nodeId, string linkKey, ImmutableArray<string> addresses, int index)
    {
        if (_entries.Remove(nodeId, out var old))
        {
            old.Channel.Dispose();
        }

        var channel = Open(nodeId, addresses[index]);
        var entry = new Entry(linkKey, addresses, index, channel, channel.CreateCallInvoker());
        _entries.Add(nodeId, entry);
        return entry;
    }

    private GrpcChannel Open(string nodeId, string address) => GrpcChannel.ForAddress(address, new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler
        {
            // A machine that vanishes without a goodbye shows by a ping that nobody answers.
            KeepAlivePingDelay = PingDelay,
            KeepAlivePingTimeout = PingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            // More than 100 generations at once don't queue behind one connection's stream limit.
            EnableMultipleHttp2Connections = true,
            ConnectTimeout = ConnectTimeout,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
        }.WithPeer(credentials, ExpectedPeer.Node(nodeId)),
        DisposeHttpClient = true,
        MaxReceiveMessageSize = MaxReceiveBytes,
    });

    private sealed record Entry(string LinkKey, ImmutableArray<string> Addresses, int Index, GrpcChannel Channel, CallInvoker Invoker);
}
