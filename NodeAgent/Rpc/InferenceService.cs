using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Shards;
using ClusterLlm.NodeAgent.Telemetry;
using Grpc.Core;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Rpc;

/// <summary>Answers requests with a deployment's rank 0.</summary>
internal sealed partial class InferenceService(
    ShardHost shards,
    GenerationRecorder recorder,
    CallLifetime lifetime,
    ILogger<InferenceService> logger) : Proto.InferenceService.InferenceServiceBase
{
    public override async Task Generate(
        Proto.GenerateRequest request,
        IServerStreamWriter<Proto.GenerateEvent> responseStream,
        ServerCallContext context)
    {
        var shard = shards.FindServing(request.DeploymentId);
        var generation = request.ToDomain();
        using var call = lifetime.Link(context);
        using var recording = recorder.Start(shard.Spec, generation);
        try
        {
            await foreach (var happening in shard.GenerateAsync(generation, call.Token).ConfigureAwait(false))
            {
                recording.Observe(happening);
                await responseStream.WriteAsync(happening.ToProto(), call.Token).ConfigureAwait(false);
            }
        }
        catch (GenerationException error)
        {
            recording.Fail(error.Status.ToString(System.Globalization.CultureInfo.InvariantCulture));
            await responseStream.WriteAsync(error.ToProto(), call.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (!call.IsCancellationRequested && error is not RpcException)
        {
            // What the engine threw is for the log: it may hold parts of the prompt, and a client can do nothing with it.
            LogUnexpected(error, request.DeploymentId, request.RequestId);
            recording.Fail(error.GetType().Name);
            await responseStream.WriteAsync(InferenceMapping.InternalError(request.RequestId), call.Token).ConfigureAwait(false);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Deployment {DeploymentId}: request {RequestId} failed unexpectedly")]
    private partial void LogUnexpected(Exception error, string deploymentId, string requestId);
}
