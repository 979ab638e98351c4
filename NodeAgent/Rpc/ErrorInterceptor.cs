using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.ModelStore;
using ClusterLlm.NodeAgent.Shards;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace ClusterLlm.NodeAgent.Rpc;

/// <summary>The one place where the agent's exceptions become gRPC status codes.</summary>
internal sealed partial class ErrorInterceptor(CallLifetime lifetime, ILogger<ErrorInterceptor> logger) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request,
        ServerCallContext context,
        UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not RpcException)
        {
            throw Map(error, context);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(request, responseStream, context).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not RpcException)
        {
            throw Map(error, context);
        }
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(requestStream, responseStream, context).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not RpcException)
        {
            throw Map(error, context);
        }
    }

    private RpcException Map(Exception error, ServerCallContext context)
    {
        if (context.CancellationToken.IsCancellationRequested)
        {
            return new RpcException(new Status(StatusCode.Cancelled, "The caller ended the call."));
        }

        if (lifetime.IsEnding && error is OperationCanceledException or IOException)
        {
            return new RpcException(new Status(StatusCode.Unavailable, "The node agent is ending."));
        }

        var code = Code(error);
        if (code is not StatusCode.Internal)
        {
            return new RpcException(new Status(code, error.Message));
        }

        LogUnexpected(error, context.Method);
        return new RpcException(new Status(code, $"Unexpected {error.GetType().Name}; the agent's log has the details."));
    }

    private static StatusCode Code(Exception error) => error switch
    {
        ShardException => StatusCode.FailedPrecondition,
        ModelFileException or BadRequestException => StatusCode.InvalidArgument,
        ModelNotFoundException => StatusCode.NotFound,
        SubscriberTooSlowException => StatusCode.ResourceExhausted,
        _ => StatusCode.Internal,
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "Unexpected error in {Method}")]
    private partial void LogUnexpected(Exception error, string method);
}

/// <summary>A request with a field that can't be; the message names field and value.</summary>
internal sealed class BadRequestException(string message) : Exception(message);
