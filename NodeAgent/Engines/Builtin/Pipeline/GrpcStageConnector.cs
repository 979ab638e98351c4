using ClusterLlm.Protos.V1;
using ClusterLlm.ServiceDefaults.Security;
using Grpc.Core;
using Grpc.Net.Client;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;

/// <summary>Opens the channel to another agent.</summary>
internal interface IStageChannels
{
    GrpcChannel Open(ShardRank rank);
}

/// <summary>HTTP/2 over mutual TLS; what answers must be the rank's node.</summary>
internal sealed class StageChannels(ClusterCredentials credentials) : IStageChannels
{
    public GrpcChannel Open(ShardRank rank) => GrpcChannel.ForAddress(rank.Url, new GrpcChannelOptions
    {
        MaxReceiveMessageSize = StageStreamService.MaxMessageBytes,
        MaxSendMessageSize = StageStreamService.MaxMessageBytes,
        HttpHandler = new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,

            // A neighbour whose machine vanished without a word is noticed within this time.
            KeepAlivePingDelay = TimeSpan.FromSeconds(5),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
        }.WithPeer(credentials, ExpectedPeer.Node(rank.NodeId)),
        DisposeHttpClient = true,
    });
}

/// <summary>Connects stages by long-lived gRPC streams.</summary>
internal sealed class GrpcStageConnector(IStageChannels channels, TimeProvider time) : IStageConnector
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(1);

    public async Task<IStageLink> ConnectAsync(ShardSpec spec, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var to = StageRing.Next(spec);
        var start = time.GetTimestamp();
        var wait = FirstRetry;
        var channel = channels.Open(spec.Ranks[to]);
        try
        {
            while (true)
            {
                var (link, refusal) = await TryOpenAsync(channel, spec, to, cancellationToken).ConfigureAwait(false);
                if (link is not null)
                {
                    return link;
                }

                if (time.GetElapsedTime(start) > timeout)
                {
                    throw new ShardException(
                        $"Rank {spec.Rank} could not connect to the next stage, {StageRing.Describe(spec, to)}, within {timeout.TotalSeconds:0} s: {refusal}. "
                        + "Check that the agent runs and that the address can be reached from this node.");
                }

                await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
                wait = wait * 2 < LongestRetry ? wait * 2 : LongestRetry;
            }
        }
        catch
        {
            channel.Dispose();
            throw;
        }
    }

    private static async Task<(IStageLink? Link, string Refusal)> TryOpenAsync(
        GrpcChannel channel, ShardSpec spec, int to, CancellationToken cancellationToken)
    {
        var call = new StageService.StageServiceClient(channel).Forward(cancellationToken: CancellationToken.None);
        try
        {
            var hello = new StageHello
            {
                DeploymentId = spec.DeploymentId,
                Generation = (uint)spec.Generation,
                FromRank = (uint)spec.Rank,
                ToRank = (uint)to,
            };
            await call.RequestStream.WriteAsync(new StageFrame { Hello = hello }, cancellationToken).ConfigureAwait(false);
            if (await call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false)
                && call.ResponseStream.Current.NoticeCase == StageNotice.NoticeOneofCase.Accepted)
            {
                return (new GrpcStageLink(channel, call, spec, to), "");
            }

            call.Dispose();
            return (null, call.ResponseStream.Current?.Failure?.Message ?? "it closed the stream");
        }
        catch (RpcException exception)
        {
            call.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            return (null, exception.Status.Detail);
        }
        catch
        {
            call.Dispose();
            throw;
        }
    }
}
