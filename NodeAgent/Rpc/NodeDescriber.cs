using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Hosting;
using ClusterLlm.NodeAgent.Settings;
using Microsoft.Extensions.Options;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Rpc;

/// <summary>Describes this node to the Coordinator.</summary>
internal sealed class NodeDescriber(
    NodeIdentity identity,
    MachineFactsCache facts,
    MachineMonitor machine,
    EngineRegistry engines,
    AgentEndpoints endpoints,
    IOptions<NodeOptions> options)
{
    private static readonly string AgentVersion = typeof(NodeDescriber).Assembly.GetName().Version?.ToString(3) ?? "";

    public async ValueTask<Proto.NodeDescription> DescribeAsync(CancellationToken cancellationToken)
    {
        var machineFacts = await facts.GetAsync(cancellationToken).ConfigureAwait(false);
        var description = Machine(machineFacts);
        foreach (var engine in engines.All)
        {
            description.Engines.Add((await engine.DescribeAsync(cancellationToken).ConfigureAwait(false)).ToProto(engine.Name));
        }

        if (description.Engines.Any(engine => engine.Properties.ContainsKey(EngineFacts.ArtificialProperty)))
        {
            // Its time is its own: it does not share the speed of this machine with the other agents on it.
            description.MachineId += $" {identity.Id}";
        }

        description.Addresses.AddRange(OwnAddresses.Of(endpoints.GrpcUrl, options.Value.AdvertisedUrl, OwnAddresses.Read(), machineFacts.Links).Select(Address));
        return description;
    }

    private Proto.NodeDescription Machine(MachineFacts facts)
    {
        var usable = machine.Share(facts.MemoryUsable);
        return new Proto.NodeDescription
        {
            NodeId = identity.Id,
            DisplayName = identity.DisplayName,
            HostName = identity.HostName,
            OperatingSystem = facts.OperatingSystem,
            HardwareModel = facts.HardwareModel,
            Chip = facts.Chip,
            CpuCores = (uint)facts.CpuCores,
            GpuCores = (uint)facts.GpuCores,
            MemoryTotalBytes = (ulong)facts.MemoryTotalBytes,
            MemoryUsableBytes = (ulong)usable.Bytes,
            MemoryUsableSource = usable.Source,
            AgentVersion = AgentVersion,
            MachineId = facts.MachineId,
        };
    }

    private static Proto.NodeAddress Address(ReachableAddress address) => new()
    {
        Url = address.Url.GetLeftPart(UriPartial.Authority),
        Kind = address.Link.Kind.ToProto(),
        Interface = address.Link.Interface,
    };
}
