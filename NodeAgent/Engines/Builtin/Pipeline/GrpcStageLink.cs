using ClusterLlm.Protos.V1;
using Grpc.Core;
using Grpc.Net.Client;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;

/// <summary>An open stream to the next stage.</summary>
internal sealed class GrpcStageLink : IStageLink
{
    private readonly GrpcChannel _channel;
    private readonly AsyncDuplexStreamingCall<StageFrame, StageNotice> _call;
    private readonly ShardSpec _spec;
    private readonly int _to;
    private readonly CancellationTokenSource _closing = new();

    /// <param name="channel">Owned from now on, like the call.</param>
    public GrpcStageLink(GrpcChannel channel, AsyncDuplexStreamingCall<StageFrame, StageNotice> call, ShardSpec spec, int to)
    {
        _channel = channel;
        _call = call;
        _spec = spec;
        _to = to;
        Completion = WatchAsync();
    }

    public Task Completion { get; }

    public async ValueTask SendAsync(StageWork work, CancellationToken cancellationToken)
    {
        try
        {
            await _call.RequestStream.WriteAsync(StageCodec.ToFrame(work), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException or IOException && !cancellationToken.IsCancellationRequested)
        {
            // The reader of notices knows more: a failure that the neighbour told of before it closed the stream.
            await Completion.WaitAsync(TimeSpan.FromSeconds(1), TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw Completion.Exception?.InnerException as ShardException ?? Gone(exception.Message, exception);
        }
        finally
        {
            (work as StageWork.Step)?.ReturnBuffer();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        await _call.RequestStream.CompleteAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _call.Dispose();
        _channel.Dispose();
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
    }

    private async Task WatchAsync()
    {
        try
        {
            while (await _call.ResponseStream.MoveNext(_closing.Token).ConfigureAwait(false))
            {
                if (_call.ResponseStream.Current.Failure is { } failure)
                {
                    throw new ShardException(failure.Message);
                }
            }

            throw Gone("it closed the stream", null);
        }
        catch (RpcException exception)
        {
            throw Gone(exception.Status.Detail, exception);
        }
    }

    private ShardException Gone(string reason, Exception? inner)
    {
        var message = $"{StageRing.Describe(_spec, _to)} is gone: {reason}.";
        return inner is null ? new ShardException(message) : new ShardException(message, inner);
    }
}
