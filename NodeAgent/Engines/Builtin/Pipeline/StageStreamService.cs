using ClusterLlm.Protos.V1;
using ClusterLlm.ServiceDefaults.Security;
using Grpc.Core;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;

/// <summary>Takes the stream of the stage before this one.</summary>
internal sealed class StageStreamService(StageDirectory stages, IHostApplicationLifetime lifetime) : StageService.StageServiceBase
{
    /// <summary>A prefill chunk of 1024 rows of 16384 floats.</summary>
    public const int MaxMessageBytes = 64 << 20;

    public override async Task Forward(
        IAsyncStreamReader<StageFrame> requestStream, IServerStreamWriter<StageNotice> responseStream, ServerCallContext context)
    {
        var stage = await AcceptAsync(requestStream, context).ConfigureAwait(false);
        await responseStream.WriteAsync(new StageNotice { Accepted = new StageAccepted() }, context.CancellationToken).ConfigureAwait(false);
        stage.Connected();

        // A server that stops waits for its open calls: these end with it, not with their shards.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        var reading = ReadAsync(stage, requestStream, ending.Token, context.CancellationToken);
        await Task.WhenAny(reading, stage.Completion).ConfigureAwait(false);
        if (stage.Completion.IsFaulted)
        {
            var message = stage.Completion.Exception.InnerException!.Message;
            var failure = new StageFailure { Rank = (uint)stage.Spec.Rank, Message = message };
            await responseStream.WriteAsync(new StageNotice { Failure = failure }, context.CancellationToken).ConfigureAwait(false);
        }

        await ending.CancelAsync().ConfigureAwait(false);
        await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <param name="callerGone">Cancelled when the neighbour ended the call; any other cancellation comes from this side.</param>
    private static async Task ReadAsync(
        IStageEndpoint stage, IAsyncStreamReader<StageFrame> frames, CancellationToken cancellationToken, CancellationToken callerGone)
    {
        try
        {
            while (await frames.MoveNext(cancellationToken).ConfigureAwait(false))
            {
                if (StageCodec.ToWork(frames.Current) is { } work)
                {
                    await stage.AcceptAsync(work, cancellationToken).ConfigureAwait(false);
                }
            }

            stage.Disconnected("it closed the stream");
        }
        catch (OperationCanceledException) when (!callerGone.IsCancellationRequested)
        {
            // The shard or the whole agent is stopping here.
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            stage.Disconnected(exception.Message);
        }
    }

    private async Task<IStageEndpoint> AcceptAsync(IAsyncStreamReader<StageFrame> frames, ServerCallContext context)
    {
        if (!await frames.MoveNext(context.CancellationToken).ConfigureAwait(false) || frames.Current.Hello is not { } hello)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "The first frame must be a hello."));
        }

        var stage = stages.Find(hello.DeploymentId, (int)hello.Generation, (int)hello.ToRank)
            ?? throw new RpcException(new Status(
                StatusCode.NotFound,
                $"Rank {hello.ToRank} of deployment {hello.DeploymentId}, generation {hello.Generation}, does not run on this agent (yet)"));
        var previous = StageRing.Previous(stage.Spec);
        context.RequireNode(stage.Spec.Ranks[previous].NodeId);
        return previous == (int)hello.FromRank
            ? stage
            : throw new RpcException(new Status(
                StatusCode.InvalidArgument,
                $"Rank {hello.FromRank} called, but the stage before rank {hello.ToRank} is rank {previous}"));
    }
}
