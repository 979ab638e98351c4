using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Coordinator.Nodes.Links;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Protos.V1;
using Grpc.Core;

namespace ClusterLlm.Coordinator.Calibration;

/// <summary>Lets agents measure the links between them.</summary>
internal sealed class LinkProber(NodeRegistry nodes, INodeChannels channels, LinkRegistry ways, CalibrationRegistry registry, TimeProvider time)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Measures from a node to all other usable ones.</summary>
    /// <returns>The links that answered, and why others did not.</returns>
    public async Task<(IReadOnlyList<LinkMeasurement> Links, IReadOnlyList<string> Problems)> ProbeAsync(string nodeId, CancellationToken cancellationToken)
    {
        var links = new List<LinkMeasurement>();
        var problems = new List<string>();
        foreach (var other in nodes.Current.Values.Where(node => node.NodeId != nodeId && node.IsUsable))
        {
            try
            {
                if (channels.Find(nodeId) is { } invoker && other.Facts.Addresses.Length > 0)
                {
                    var reply = await new NodeService.NodeServiceClient(invoker).ProbeLinkAsync(
                        Request(nodes.Current.GetValueOrDefault(nodeId), other), deadline: time.GetUtcNow().UtcDateTime + Limit, cancellationToken: cancellationToken);
                    var link = new LinkMeasurement(nodeId, other.NodeId, TimeSpan.FromMilliseconds(reply.RoundTripMs), reply.BandwidthBytesPerSecond);
                    await registry.SaveAsync(link, time.GetUtcNow(), cancellationToken);
                    links.Add(link);
                }
            }
            catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
            {
                problems.Add($"Link {nodeId} to {other.NodeId} was not measured: {e.Status.Detail}");
            }
        }

        return (links, problems);
    }

    private ProbeLinkRequest Request(NodeSnapshot? from, NodeSnapshot other)
    {
        var request = new ProbeLinkRequest { NodeId = other.NodeId };
        // The way that a deployment would take comes first: its speed is what the planner needs.
        if (from is not null && from.Facts.MachineId != other.Facts.MachineId && ways.Decide(from, other).Url is { } way)
        {
            request.Urls.Add(way);
        }

        request.Urls.AddRange(other.Facts.Addresses.Select(address => address.Url).Except(request.Urls));
        return request;
    }
}
