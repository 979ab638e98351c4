using System.Collections.Immutable;
using ClusterLlm.Protos.V1;
using Grpc.Core;

namespace ClusterLlm.Coordinator.Nodes.Links;

/// <summary>Lets a node measure every address of another one.</summary>
internal sealed class AddressProber(INodeChannels channels, LinkRegistry registry, TimeProvider time)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    /// <returns>A reading for each address, in the order of <see cref="NodeAddresses.ForOthers"/>; empty when the measuring node is not connected.</returns>
    public async Task<ImmutableArray<AddressReading>> MeasureAsync(NodeSnapshot from, NodeSnapshot to, CancellationToken cancellationToken)
    {
        if (channels.Find(from.NodeId) is not { } invoker)
        {
            return [];
        }

        var client = new NodeService.NodeServiceClient(invoker);
        var readings = ImmutableArray.CreateBuilder<AddressReading>();
        foreach (var url in NodeAddresses.ForOthers(to))
        {
            // One after the other: two measurements at once would share the node's CPU, and often the wire.
            var fact = to.Facts.Addresses.First(address => address.Url == url);
            readings.Add(await MeasureAsync(client, to.NodeId, fact, cancellationToken));
        }

        registry.Save(from.NodeId, to.NodeId, readings.ToImmutable());
        return readings.ToImmutable();
    }

    private async Task<AddressReading> MeasureAsync(NodeService.NodeServiceClient client, string nodeId, AddressFact address, CancellationToken cancellationToken)
    {
        var request = new ProbeLinkRequest { NodeId = nodeId, Urls = { address.Url } };
        try
        {
            var reply = await client.ProbeLinkAsync(request, deadline: time.GetUtcNow().UtcDateTime + Limit, cancellationToken: cancellationToken);
            return new(address.Url, address.Kind, address.Interface, reply.RoundTripMs, reply.BandwidthBytesPerSecond, null, time.GetUtcNow());
        }
        catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
        {
            return new(address.Url, address.Kind, address.Interface, null, null, e.Status.Detail, time.GetUtcNow());
        }
    }
}
