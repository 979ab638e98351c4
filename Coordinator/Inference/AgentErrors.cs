using ClusterLlm.Protos.V1;
using Grpc.Core;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>What an agent's failure is to the client.</summary>
internal static class AgentErrors
{
    private const int RetryAfterSeconds = 1;

    /// <summary>An error that the agent reported in its stream.</summary>
    public static ApiError From(GenerateError error)
    {
        var status = error.Status is >= 400 and <= 599 ? (int)error.Status : StatusCodes.Status500InternalServerError;
        return new(
            status,
            error.Message is { Length: > 0 } ? error.Message : "The engine failed without saying why.",
            ApiError.TypeOf(status),
            NullIfEmpty(error.Param),
            NullIfEmpty(error.Code),
            status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable ? RetryAfterSeconds : null);
    }

    /// <summary>A call that failed as a whole.</summary>
    /// <param name="nodeId">The agent that was called.</param>
    public static ApiError From(RpcException failure, string nodeId)
    {
        var detail = failure.Status.Detail;
        return failure.StatusCode switch
        {
            StatusCode.InvalidArgument => ApiError.BadRequest(detail),
            StatusCode.ResourceExhausted when detail.Contains("message exceeds", StringComparison.OrdinalIgnoreCase) => new(
                StatusCodes.Status413PayloadTooLarge, $"The request is larger than node '{nodeId}' takes: {detail}", ApiError.InvalidRequest, null, "request_too_large"),
            StatusCode.ResourceExhausted => new(
                StatusCodes.Status429TooManyRequests, $"Node '{nodeId}' takes no more requests now: {detail}", ApiError.RateLimit, null, "queue_full", RetryAfterSeconds),
            StatusCode.FailedPrecondition or StatusCode.NotFound => ApiError.Unavailable(
                $"Node '{nodeId}' does not serve the model at the moment: {detail}", "model_not_ready", RetryAfterSeconds),
            StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Cancelled or StatusCode.Aborted => ApiError.Unavailable(
                $"Node '{nodeId}' can't be reached or went away: {detail}", "node_unavailable", RetryAfterSeconds),
            _ => ApiError.Internal($"Node '{nodeId}' failed ({failure.StatusCode}): {detail}"),
        };
    }

    /// <summary>A stream that ended although nothing said that the generation had.</summary>
    public static ApiError EndedEarly(string nodeId) =>
        ApiError.Internal($"Node '{nodeId}' ended the generation without a result. The answer so far is not complete.");

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
