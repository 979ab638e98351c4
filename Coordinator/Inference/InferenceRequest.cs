using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>What the gateway itself needs to know of a request body; everything else is for the engine.</summary>
/// <param name="IncludeUsage">A last chunk with token counts, when streaming.</param>
/// <param name="MaxTokens">Most tokens of the answer, where the client set it: for traces.</param>
internal sealed record InferenceRequest(RequestKind Kind, string Model, bool Stream, bool IncludeUsage, int? MaxTokens);

/// <summary>Names of one answer.</summary>
/// <param name="RequestId">The client's <c>X-Request-Id</c>, or ours.</param>
/// <param name="CompletionId">The <c>id</c> of the answer; unique, also towards the agent.</param>
/// <param name="CreatedUnixSeconds">Seconds since 1970-01-01 UTC.</param>
internal sealed record AnswerIdentity(string RequestId, string CompletionId, long CreatedUnixSeconds, string Model, RequestKind Kind)
{
    /// <summary>OpenAI's <c>object</c> of a whole answer.</summary>
    public string ObjectName => Kind == RequestKind.ChatCompletion ? "chat.completion" : "text_completion";
}
