using ClusterLlm.NodeAgent.Engines;
using Google.Protobuf;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Rpc;

/// <summary>Maps generations from and to the wire.</summary>
internal static class InferenceMapping
{
    /// <exception cref="BadRequestException">The kind is not known.</exception>
    public static GenerationRequest ToDomain(this Proto.GenerateRequest request) => new(
        request.RequestId,
        request.Kind switch
        {
            Proto.RequestKind.ChatCompletion => RequestKind.ChatCompletion,
            Proto.RequestKind.Completion => RequestKind.Completion,
            _ => throw new BadRequestException($"kind is {request.Kind}: it must be REQUEST_KIND_CHAT_COMPLETION or REQUEST_KIND_COMPLETION."),
        },
        request.Body.Memory);

    public static Proto.GenerateEvent ToProto(this GenerationEvent happening) => happening switch
    {
        GenerationEvent.Progress progress => new()
        {
            Progress = new()
            {
                QueuePosition = (uint)progress.QueuePosition,
                PrefilledTokens = (uint)progress.PrefilledTokens,
                PromptTokens = (uint)progress.PromptTokens,
            },
        },

        // Not copied: the engine hands the bytes over and does not write to them again.
        GenerationEvent.Chunk chunk => new()
        {
            Chunk = new() { Json = UnsafeByteOperations.UnsafeWrap(chunk.Json), TokenCount = (uint)chunk.TokenCount },
        },
        GenerationEvent.Finished finished => new() { Finished = finished.ToProto() },
        _ => throw new InvalidOperationException($"The engine sent {happening.GetType().Name}, which the wire does not know."),
    };

    public static Proto.GenerateEvent ToProto(this GenerationException error) => new()
    {
        Error = new()
        {
            Status = (uint)error.Status,
            Message = error.Message,
            Param = error.Param ?? "",
            Code = error.Code ?? "",
        },
    };

    public static Proto.GenerateEvent InternalError(string requestId) => new()
    {
        Error = new() { Status = 500, Message = $"The engine failed on request {requestId}; the log of its node has the details.", Code = "engine_error" },
    };

    private static Proto.GenerateFinished ToProto(this GenerationEvent.Finished finished) => new()
    {
        FinishReason = finished.FinishReason,
        PromptTokens = (uint)finished.PromptTokens,
        CachedTokens = (uint)finished.CachedTokens,
        CompletionTokens = (uint)finished.CompletionTokens,
        TimeToFirstTokenMs = finished.TimeToFirstToken.TotalMilliseconds,
        QueueMs = finished.Queue.TotalMilliseconds,
        PrefillMs = finished.Prefill.TotalMilliseconds,
        DecodeMs = finished.Decode.TotalMilliseconds,
    };
}
