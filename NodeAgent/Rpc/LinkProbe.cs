using ClusterLlm.ServiceDefaults.Security;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Rpc;

/// <summary>Measures the link to another agent: round trips of small calls, and the bandwidth of large ones.</summary>
internal sealed class LinkProbe(ClusterCredentials credentials, TimeProvider time)
{
    private const int SmallCalls = 9;
    private const int LargeCalls = 4;
    private const int LargeBytes = 1024 * 1024;
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(5);

    /// <param name="nodeId">The other agent's: what answers under another name is not measured.</param>
    /// <param name="urls">Its addresses; the first one that answers is measured.</param>
    /// <exception cref="RpcException">None answers, or none is an address.</exception>
    public async Task<Proto.ProbeLinkResponse> MeasureAsync(string nodeId, string[] urls, CancellationToken cancellationToken)
    {
        var problems = new List<string>();
        foreach (var url in urls)
        {
            if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not "https")
            {
                problems.Add($"{url} is no https address");
                continue;
            }

            using var channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
            {
                HttpHandler = new SocketsHttpHandler { ConnectTimeout = CallLimit }.WithPeer(credentials, ExpectedPeer.Node(nodeId)),
                DisposeHttpClient = true,
            });
            try
            {
                return await MeasureAsync(url, new Proto.NodeService.NodeServiceClient(channel), cancellationToken).ConfigureAwait(false);
            }
            catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
            {
                problems.Add($"{url}: {e.Status.Detail}");
            }
        }

        throw new RpcException(new Status(
            urls.Length == 0 ? StatusCode.InvalidArgument : StatusCode.Unavailable,
            urls.Length == 0 ? "urls is empty; give the other agent's addresses." : $"No address answered: {string.Join("; ", problems)}."));
    }

    private async Task<Proto.ProbeLinkResponse> MeasureAsync(string url, Proto.NodeService.NodeServiceClient client, CancellationToken cancellationToken)
    {
        // The first call also opens the connection.
        await CallAsync(client, 1, cancellationToken).ConfigureAwait(false);
        var small = new List<TimeSpan>();
        for (var call = 0; call < SmallCalls; call++)
        {
            small.Add(await CallAsync(client, 64, cancellationToken).ConfigureAwait(false));
        }

        var large = new List<TimeSpan>();
        for (var call = 0; call < LargeCalls; call++)
        {
            large.Add(await CallAsync(client, LargeBytes, cancellationToken).ConfigureAwait(false));
        }

        var roundTrip = small.Order().ElementAt(SmallCalls / 2);
        // The payload travels there and back; what a small call takes is not the wire's.
        var wire = large.Min() - roundTrip;
        return new Proto.ProbeLinkResponse
        {
            Url = url,
            RoundTripMs = roundTrip.TotalMilliseconds,
            BandwidthBytesPerSecond = 2.0 * LargeBytes / Math.Max(wire.TotalSeconds, 1e-6),
        };
    }

    private async Task<TimeSpan> CallAsync(Proto.NodeService.NodeServiceClient client, int bytes, CancellationToken cancellationToken)
    {
        var payload = UnsafeByteOperations.UnsafeWrap(new byte[bytes]);
        var started = time.GetTimestamp();
        await client.EchoAsync(new Proto.EchoRequest { Payload = payload }, deadline: (time.GetUtcNow() + CallLimit).UtcDateTime, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return time.GetElapsedTime(started);
    }
}
