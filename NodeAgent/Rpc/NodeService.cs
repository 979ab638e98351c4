using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.NodeAgent.Telemetry;
using Grpc.Core;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Rpc;

/// <summary>What the node is and how it does.</summary>
internal sealed class NodeService(NodeDescriber describer, TelemetrySampler sampler, NodeIdentity identity, CallLifetime lifetime, LinkProbe probe)
    : Proto.NodeService.NodeServiceBase
{
    private const int MaximumEchoBytes = 1024 * 1024;

    public override async Task<Proto.NodeDescription> Describe(Proto.DescribeRequest request, ServerCallContext context) =>
        await describer.DescribeAsync(context.CancellationToken).ConfigureAwait(false);

    public override async Task WatchTelemetry(
        Proto.WatchTelemetryRequest request,
        IServerStreamWriter<Proto.NodeTelemetry> responseStream,
        ServerCallContext context)
    {
        using var call = lifetime.Link(context);
        await foreach (var reading in sampler.WatchAsync(TelemetrySampler.Interval(request.IntervalMs), call.Token).ConfigureAwait(false))
        {
            await responseStream.WriteAsync(reading.ToProto(identity.Id), call.Token).ConfigureAwait(false);
        }
    }

    public override Task<Proto.ProbeLinkResponse> ProbeLink(Proto.ProbeLinkRequest request, ServerCallContext context) =>
        probe.MeasureAsync(request.NodeId, [.. request.Urls], context.CancellationToken);

    public override Task<Proto.EchoResponse> Echo(Proto.EchoRequest request, ServerCallContext context) =>
        request.Payload.Length <= MaximumEchoBytes
            ? Task.FromResult(new Proto.EchoResponse { Payload = request.Payload })
            : throw new RpcException(new Status(
                StatusCode.InvalidArgument,
                $"payload has {request.Payload.Length} bytes; at most {MaximumEchoBytes} are echoed."));
}
